package dev.sund.agent.peers;

import dev.sund.model.Condition;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.NodeName;
import dev.sund.model.ObjectRef;
import dev.sund.model.Reason;
import java.util.Locale;
import java.util.Optional;

/**
 * From when on a way to another node is said to be bad.
 *
 * @param lossPercent more than this of a minute's datagrams lost
 * @param roundTripMillis a median above this
 * @param jitterMillis more than this
 */
public record PeerLimits(double lossPercent, double roundTripMillis, double jitterMillis) {
  /** A few of a minute's sixty; what a way within one site never takes. */
  public static final PeerLimits DEFAULT = new PeerLimits(5, 20, 20);

  /** With fewer a single lost datagram would say much. */
  private static final int FEWEST = 20;

  public PeerLimits {
    if (!(lossPercent >= 0 && lossPercent <= 100)) {
      throw new IllegalArgumentException(
          "a limit of " + lossPercent + " percent lost is not between 0 and 100");
    }
    if (!(roundTripMillis > 0) || !(jitterMillis > 0)) {
      throw new IllegalArgumentException(
          "limits of %s ms for round trips and %s ms for jitter: both must be above 0"
              .formatted(roundTripMillis, jitterMillis));
    }
  }

  /** What is wrong with a way; empty when nothing is, or too little is known. */
  Optional<Condition> judge(NodeName peer, Ip address, PeerFigures figures) {
    if (figures.judged() < FEWEST) {
      return Optional.empty();
    }
    double lost = 100 * figures.lossRatio();
    if (lost > lossPercent) {
      boolean never = figures.answered() == 0;
      return Optional.of(
          condition(
              Reason.PEER_LOSS,
              peer,
              address.family(),
              "%.1f %% of the last %d datagrams to %s had no answer (limit %s %%)."
                  .formatted(lost, figures.judged(), address, number(lossPercent)),
              never
                  ? "See whether "
                      + address
                      + " answers at all (ping), and whether firewalls let UDP through to the"
                      + " agents' port (--peer-port)."
                  : "Look at sund doctor on both nodes: interface-drops, softnet-drops, cpu-steal;"
                      + " then at what lies between them."));
    }
    if (figures.median() > roundTripMillis || figures.jitter() > jitterMillis) {
      return Optional.of(
          condition(
              Reason.PEER_SLOW,
              peer,
              address.family(),
              "the round trip to %s takes %.1f ms (limit %s), with %.1f ms of jitter (limit %s)."
                  .formatted(
                      address,
                      figures.median(),
                      number(roundTripMillis),
                      figures.jitter(),
                      number(jitterMillis)),
              "Look at sund doctor on both nodes: cpu-steal, cpu-pressure, softnet-drops; then at"
                  + " what lies between them."));
    }
    return Optional.empty();
  }

  private static Condition condition(
      Reason reason, NodeName peer, Family family, String text, String remedy) {
    return new Condition(
        reason,
        new ObjectRef("Node", peer.text()),
        family == Family.V4 ? "over IPv4" : "over IPv6",
        text,
        remedy);
  }

  /** Without a fraction where there is none. */
  private static String number(double value) {
    return value == Math.rint(value)
        ? String.valueOf(Math.round(value))
        : String.format(Locale.ROOT, "%.1f", value);
  }
}
