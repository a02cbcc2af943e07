package dev.sund.kernel.nft;

/** What a register or the value of a map's element holds. */
public sealed interface Data {
  /** Bytes: an address, a port, a mark. */
  record Value(Bytes bytes) implements Data {
    @Override
    public String toString() {
      return bytes.toString();
    }
  }

  /** A verdict. */
  record To(Verdict verdict) implements Data {
    @Override
    public String toString() {
      return verdict.toString();
    }
  }
}
