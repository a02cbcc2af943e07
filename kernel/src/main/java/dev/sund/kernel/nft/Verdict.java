package dev.sund.kernel.nft;

/** What a rule says about a packet. */
public sealed interface Verdict {
  /** The packet goes on behind this hook. */
  Verdict ACCEPT = new Plain(1);

  /** The packet ends here, silently. */
  Verdict DROP = new Plain(0);

  /** The next rule (NFT_CONTINUE). */
  Verdict CONTINUE = new Plain(-1);

  /** Back to the rule behind the jump, or to the policy of a base chain (NFT_RETURN). */
  Verdict RETURN = new Plain(-5);

  /** The verdict's number in the kernel. */
  int code();

  /**
   * A verdict without a chain.
   *
   * @param code NF_DROP 0, NF_ACCEPT 1, NF_QUEUE 3, NFT_CONTINUE -1, NFT_BREAK -2, NFT_RETURN -5
   */
  record Plain(int code) implements Verdict {
    @Override
    public String toString() {
      return switch (code) {
        case 0 -> "drop";
        case 1 -> "accept";
        case -1 -> "continue";
        case -2 -> "break";
        case -5 -> "return";
        default -> "verdict " + code;
      };
    }
  }

  /** The rules of a chain, then those behind this one (NFT_JUMP). */
  record Jump(String chain) implements Verdict {
    @Override
    public int code() {
      return -3;
    }

    @Override
    public String toString() {
      return "jump " + chain;
    }
  }

  /** The rules of a chain, for good (NFT_GOTO). */
  record Goto(String chain) implements Verdict {
    @Override
    public int code() {
      return -4;
    }

    @Override
    public String toString() {
      return "goto " + chain;
    }
  }
}
