"""Pipelines and plots of a revision, as jobs and pages ask for them. Plain Python: datasets.pipelines."""
