"""The scripts of the demo's pipeline, as they stand in its repository: the hub runs them too, for what they make."""
