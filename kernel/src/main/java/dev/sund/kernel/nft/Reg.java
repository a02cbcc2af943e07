package dev.sund.kernel.nft;

import dev.sund.model.Checks;

/**
 * A register of the rule's small machine: 64 bytes, seen as four of 16 bytes (1 to 4) or sixteen of
 * 4 bytes (8 to 23, NFT_REG32_*).
 *
 * <p>The kernel answers with the short name where both say the same (8 is 1, 12 is 2, 16 is 3, 20
 * is 4); so does this class, so that what was written equals what is read back.
 *
 * @param number 0 (the verdict), 1 to 4, or 8 to 23
 */
public record Reg(int number) {
  /** Where verdicts go. */
  public static final Reg VERDICT = new Reg(0);

  public static final Reg R1 = new Reg(1);
  public static final Reg R2 = new Reg(2);
  public static final Reg R3 = new Reg(3);
  public static final Reg R4 = new Reg(4);

  public Reg {
    Checks.that(
        (number >= 0 && number <= 4) || (number >= 8 && number <= 23),
        "a register is 0 to 4 or 8 to 23, but is " + number);
    if (number >= 8 && number % 4 == 0) {
      number = number / 4 - 1;
    }
  }

  /** The 4-byte register at this index, 0 to 15, of the 64 bytes. */
  public static Reg word(int index) {
    return new Reg(8 + Checks.range("register word", index, 0, 15));
  }

  /** The first byte of this register in the 64 bytes; -1 for the verdict. */
  public int offset() {
    return number == 0 ? -1 : number <= 4 ? 16 * (number - 1) : 4 * (number - 8);
  }

  @Override
  public String toString() {
    return "reg " + number;
  }
}
