"""A process that conducts an experiment, says so once something of it is stored, and then waits to be killed.

    python -m tests.operations.dying_experimenter DATABASE_URL

It prints the numbers of the processes of its crew.
"""

import asyncio
import sys
from dataclasses import replace

from tests.operations.experiment_world import Noting, claimed, until
from tests.operations.world import demo, process
from windtunnel.experiments.crew import Crew
from windtunnel.operations.conduct_experiment import conduct_experiment


async def live(url: str) -> None:
    crew = Crew(2)
    async with process(url, owner="dying", crew=crew) as services:
        (experiment,) = await claimed(services, "dying")
        conducting = asyncio.create_task(conduct_experiment(replace(services, crew=Noting(crew, most=3)), experiment))
        await until(services, await demo(services), experiment, lambda event: event.progress > 0)
        sys.stdout.write(" ".join(str(number) for hand in crew._hands for number in hand._pool._processes) + "\n")
        sys.stdout.flush()
        await conducting


if __name__ == "__main__":
    asyncio.run(live(sys.argv[1]))
