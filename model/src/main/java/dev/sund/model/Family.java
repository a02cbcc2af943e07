package dev.sund.model;

/** An Internet address family. */
public enum Family {
  /** IPv4: 32-bit addresses. */
  V4(32),
  /** IPv6: 128-bit addresses. */
  V6(128);

  private final int bits;

  Family(int bits) {
    this.bits = bits;
  }

  /** The length of an address in bits: 32 or 128. */
  public int bits() {
    return bits;
  }

  /** The length of an address in bytes: 4 or 16. */
  public int bytes() {
    return bits / 8;
  }

  /** The family as people write it in a column: {@code v4} or {@code v6}. */
  public String label() {
    return this == V4 ? "v4" : "v6";
  }
}
