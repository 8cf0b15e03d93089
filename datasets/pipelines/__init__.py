"""Pipelines of DVC: from the text of dvc.yaml and dvc.lock to stages, a graph, a drawing and the diff of two of them.

Plain Python without Django. resolving.py and layout.py run in the sandbox's processes only: the hub's own load neither
dvc nor grandalf. What they answer is JSON whose shape shapes.py tells.
"""
