"""Meta's Cloud API imitated, for demo, tests and benchmarks: own process, own state, adversarial on demand.

Imports nothing of the platform and is imported by nothing of it; the two speak HTTP. README.md describes the doors.
"""
