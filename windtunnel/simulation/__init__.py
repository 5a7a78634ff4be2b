"""An architecture in motion: the discrete-event engine and the story it tells."""
