"""One invocation of ``run`` or ``resume``: what comes before a submission, the run itself, what it leaves."""
