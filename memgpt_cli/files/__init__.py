"""Files and folders on disk: replacing them so that a crash leaves the old state or the new one."""
