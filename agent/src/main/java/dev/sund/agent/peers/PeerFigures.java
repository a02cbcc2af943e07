package dev.sund.agent.peers;

/**
 * What the last questions to a peer came to.
 *
 * @param answered so many were answered in time
 * @param lost so many were not, or could not be sent
 * @param refused to so many the peer's kernel said that nobody listens
 * @param median of the round trips, in milliseconds; 0 without any
 * @param p99 the round trip that 99 of 100 do not exceed
 * @param jitter smoothed difference of one round trip to the next (RFC 3550, 6.4.1), milliseconds
 */
record PeerFigures(int answered, int lost, int refused, double median, double p99, double jitter) {
  /** How many questions say something of the way. */
  int judged() {
    return answered + lost;
  }

  /** What part was lost, 0 to 1. */
  double lossRatio() {
    return judged() == 0 ? 0 : (double) lost / judged();
  }

  /** In a word: {@code answers}, {@code refuses}, {@code silent}, or {@code asked} at first. */
  String state() {
    if (answered > 0) {
      return "answers";
    }
    return refused > lost ? "refuses" : lost > 0 ? "silent" : "asked";
  }
}
