"""How near does batchrunner come to what is possible?  Measured on this machine; see README.md."""
