"""The Kedro shell: hooks, session, parameters, datasets, DVC stages."""
