package luciola.loader.dataset;

/** Element types of Megatron token files, with their codes in the index. */
public enum TokenType {
  U8(1, 1),
  I8(2, 1),
  I16(3, 2),
  I32(4, 4),
  I64(5, 8),
  F64(6, 8),
  F32(7, 4),
  U16(8, 2);

  private final int code;
  private final int bytes;

  TokenType(int code, int bytes) {
    this.code = code;
    this.bytes = bytes;
  }

  /** The code in the {@code .idx} header and in batch messages. */
  public int code() {
    return code;
  }

  /** Size of one element. */
  public int bytes() {
    return bytes;
  }

  /** The lower-case name, as in catalogs. */
  public String label() {
    return name().toLowerCase(java.util.Locale.ROOT);
  }

  /** The type with that code; IllegalArgumentException if there is none. */
  public static TokenType ofCode(int code) {
    for (TokenType type : values()) {
      if (type.code == code) {
        return type;
      }
    }
    throw new IllegalArgumentException("no token type has this code: code=" + code);
  }

  /** The type with that {@link #label}; IllegalArgumentException if there is none. */
  public static TokenType ofLabel(String label) {
    for (TokenType type : values()) {
      if (type.label().equals(label)) {
        return type;
      }
    }
    throw new IllegalArgumentException("no token type has this name: type=" + label);
  }
}
