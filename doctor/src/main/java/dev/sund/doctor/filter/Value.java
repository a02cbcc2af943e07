package dev.sund.doctor.filter;

/** A number that a program computes from a packet. All arithmetic is of 32 bits without sign. */
sealed interface Value {
  /** From where an offset counts. */
  enum Base {
    /** The packet's first byte; negative offsets are what the kernel knows besides. */
    START,
    /** Behind the IPv4 header that begins at {@link Load#header}, however long that is. */
    BEHIND_V4
  }

  /** What two numbers are made one by. */
  enum Operation {
    ADD,
    SUB,
    MUL,
    DIV,
    MOD,
    AND,
    OR,
    XOR,
    LSH,
    RSH
  }

  /** A constant. */
  record Constant(int value) implements Value {}

  /** The packet's length. */
  record Length() implements Value {}

  /**
   * Bytes of the packet in network order.
   *
   * @param base from where the offset counts
   * @param header where the IPv4 header begins, for {@link Base#BEHIND_V4}
   * @param offset a constant added to the index
   * @param index computed; a constant 0 when there is nothing to compute
   * @param size 1, 2 or 4 bytes
   */
  record Load(Base base, int header, int offset, Value index, int size) implements Value {}

  /** Two numbers made one. */
  record Compute(Operation operation, Value left, Value right) implements Value {}

  /** Bytes at a fixed place. */
  static Value at(int offset, int size) {
    return new Load(Base.START, 0, offset, new Constant(0), size);
  }

  /** Bytes at a fixed distance behind an IPv4 header. */
  static Value behindV4(int header, int offset, int size) {
    return new Load(Base.BEHIND_V4, header, offset, new Constant(0), size);
  }

  /** Some bits of this. */
  default Value masked(int mask) {
    return mask == -1 ? this : new Compute(Operation.AND, this, new Constant(mask));
  }
}
