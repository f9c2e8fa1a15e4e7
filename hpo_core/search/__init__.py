"""Searching: executors do fits, the runner asks, prunes and tells, control and recovery keep it safe."""
