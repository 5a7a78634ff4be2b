"""Looking into the files of a package without running any of them: kinds of files, source, secrets, dependencies."""
