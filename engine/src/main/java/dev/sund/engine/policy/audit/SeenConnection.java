package dev.sund.engine.policy.audit;

import dev.sund.engine.policy.seen.Recorded;
import dev.sund.engine.policy.seen.SeenFlow;
import dev.sund.model.Checks;
import dev.sund.model.Protocol;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A connection that was seen, however often.
 *
 * @param from who asked: {@code NAMESPACE/POD}, {@code KIND NAMESPACE/NAME} of a workload, an
 *     address, or any other {@link dev.sund.engine.policy.seen.SeenParty}
 * @param to who was asked, after Services had translated, likewise
 * @param protocol of both
 * @param port the one that was asked; 0 without ports
 * @param times how often it was seen
 */
public record SeenConnection(String from, String to, Protocol protocol, int port, long times) {
  public SeenConnection {
    Checks.range("port", port, 0, 65535);
  }

  /**
   * What several nodes, or people, have seen, each once: by whichever Service, and at whichever
   * end.
   */
  public static List<SeenConnection> of(Collection<Recorded> recorded) {
    Map<SeenFlow.Key, SeenFlow> all = new LinkedHashMap<>();
    for (Recorded one : recorded) {
      for (SeenFlow flow : one.flows()) {
        SeenFlow bare =
            new SeenFlow(
                flow.from(),
                flow.to(),
                flow.protocol(),
                flow.port(),
                "",
                flow.out(),
                flow.in(),
                flow.first(),
                flow.last());
        all.merge(bare.key(), bare, SeenFlow::and);
      }
    }
    List<SeenConnection> connections = new ArrayList<>(all.size());
    for (SeenFlow flow : all.values()) {
      connections.add(
          new SeenConnection(
              flow.from().toString(),
              flow.to().toString(),
              flow.protocol(),
              flow.port(),
              flow.times()));
    }
    return connections;
  }

  /** {@code shop/web to shop/db, tcp 5432}. */
  @Override
  public String toString() {
    return from
        + " to "
        + to
        + ", "
        + protocol.label()
        + (protocol == Protocol.ICMP ? "" : " " + port);
  }
}
