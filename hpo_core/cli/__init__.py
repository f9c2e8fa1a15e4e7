"""The command line: lists, searches and studies, for people and, with --json, for programs."""
