package luciola.client;

/** A name in a directory and what it names. */
public record DirectoryEntry(String name, FileStat stat) {}
