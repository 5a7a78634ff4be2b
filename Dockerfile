# syntax=docker/dockerfile:1
FROM node:22-bookworm-slim AS graphiql
WORKDIR /src
COPY app/graphiql app/graphiql
RUN cd app/graphiql && npm ci --no-audit --no-fund && node build.mjs ../static/graphiql

FROM python:3.13-slim-bookworm
ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1
WORKDIR /srv/windtunnel
COPY requirements.lock requirements-dev.lock ./
RUN pip install -r requirements.lock
# What the extras need, pinned as for the tests: numba is `fast`, distributed is `cluster`; empty leaves out both.
ARG EXTRAS="numba"
RUN if [ -n "$EXTRAS" ]; then pip install -c requirements-dev.lock $EXTRAS; fi
COPY . .
COPY --from=graphiql /src/app/static/graphiql app/static/graphiql
RUN WINDTUNNEL_SKIP_GRAPHIQL=1 pip install --no-deps . && useradd --system --home /srv/windtunnel windtunnel \
    && mkdir -p /var/lib/windtunnel && chown windtunnel /var/lib/windtunnel
USER windtunnel
# The compiled kernel is kept with the state: sources belong to another user.
ENV WINDTUNNEL_DATA_DIR=/var/lib/windtunnel NUMBA_CACHE_DIR=/var/lib/windtunnel/kernel
ENTRYPOINT ["windtunnel"]
CMD ["serve"]
