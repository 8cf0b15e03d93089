"""MLflow's own server, mounted per repository: the only room where mlflow is imported, and never before it is needed.

mount.py gates and cleans a request; rules.py says which routes are open; server.py configures and loads MLflow;
store.py closes the gaps of its stores; artifacts.py streams files.
"""
