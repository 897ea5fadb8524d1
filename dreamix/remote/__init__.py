"""Places elsewhere, `s3://`, `gs://` and `https://`, as folders on this machine.

But for the type of arguments, nothing here is imported unless a command is given an address.
"""
