from typing_extensions import Buffer

def compare(
    files: Buffer,
    begins: Buffer,
    sizes: Buffer,
    directories: Buffer,
    names: Buffer,
    counters: Buffer,
    memory: int,
    open_files: int,
    only_first: bool,
    mask: int = -1,
    /,
) -> bytes: ...
def identify(files: Buffer, directories: Buffer, names: Buffer, /) -> None: ...
