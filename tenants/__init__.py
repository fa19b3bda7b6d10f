"""Who is served: municipalities, their hosts, numbers and declared purposes, and how an update finds its tenant."""
