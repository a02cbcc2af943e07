package dev.sund.doctor.check;

import dev.sund.doctor.Facts;
import dev.sund.doctor.Host;
import dev.sund.doctor.Line;
import dev.sund.doctor.UnreadException;
import dev.sund.doctor.probe.Crossing;
import dev.sund.doctor.probe.Limits;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;

/**
 * The fact {@code probe}: a peer, the way to it and the way back.
 *
 * @param address the peer's
 * @param port where it answers
 * @param local this node's address
 * @param seen from which address the peer sees this node's packets come
 * @param here this node's end
 * @param far the peer's end
 * @param onLink no router between
 * @param limits from where on it is slow or lossy
 * @param echoes of the window
 * @param there the way to the peer
 * @param back the way back
 */
public record Peer(
    String address,
    long port,
    String local,
    String seen,
    End here,
    End far,
    boolean onLink,
    Limits limits,
    Echoes echoes,
    Way there,
    Way back) {

  /**
   * An end of the way.
   *
   * @param device its device
   * @param mtu the device's
   * @param routeMtu what its route says; 0 when nothing
   * @param cachedMtu what its kernel would send at most
   */
  public record End(String device, long mtu, long routeMtu, long cachedMtu) {}

  /**
   * Echoes of the window; times in microseconds.
   *
   * @param heard of those sent, as many got there
   * @param back and as many came back
   */
  public record Echoes(
      long seconds,
      long sent,
      long heard,
      long back,
      long median,
      long most,
      long jitterThere,
      long jitterBack) {}

  /**
   * One way.
   *
   * @param tried the sender's MTU
   * @param carries the largest packet that arrived, 0 for none
   * @param said what a router said that it carries
   * @param by which router; empty when none said anything
   * @param refusal whether ICMP came back from a port where nobody listens
   * @param sent kinds of packets that were sent
   * @param heard those of which some arrived
   * @param skipped why a kind was not sent
   */
  public record Way(
      String name,
      long tried,
      long carries,
      OptionalLong said,
      String by,
      boolean refusal,
      Set<Crossing> sent,
      Set<Crossing> heard,
      Map<Crossing, String> skipped) {
    /** Whether a kind was sent and none of it arrived. */
    public boolean loses(Crossing kind) {
      return sent.contains(kind) && !heard.contains(kind);
    }
  }

  /** The fact, read once for all checks. */
  public static Peer of(Host host) throws UnreadException {
    return host.once(Peer.class, Peer::read);
  }

  /** Whether a kind passes there and back. */
  public boolean passes(Crossing kind) {
    return there.heard.contains(kind) && back.heard.contains(kind);
  }

  /** The largest packet that passes both ways. */
  public long carries() {
    return Math.min(there.carries, back.carries);
  }

  /** Whether the ends speak IPv6. */
  boolean isV6() {
    return address.contains(":");
  }

  private static Peer read(Host host) throws UnreadException {
    Line head = null;
    Line echoes = null;
    Limits limits = Limits.DEFAULT;
    Map<String, Builder> ways = new LinkedHashMap<>();
    for (Line line : host.lines(Facts.PROBE)) {
      if (line.has("probe")) {
        head = line;
      } else if (line.has("limits")) {
        limits = Limits.of(line);
      } else if (line.has("latency")) {
        echoes = line;
      } else if (line.has("way")) {
        ways.computeIfAbsent(line.text("way"), Builder::new).take(line);
      }
    }
    Builder there = ways.get("there");
    Builder back = ways.get("back");
    if (head == null || echoes == null || there == null || back == null) {
      throw new UnreadException(
          "/" + Host.FACTS + "/" + Facts.PROBE + " does not tell of a whole probe",
          "Record it again, with sund doctor --probe PEER.");
    }
    return new Peer(
        head.text("peer"),
        head.number("port"),
        head.text("local"),
        head.text("seen"),
        end(head, ""),
        end(head, "peer-"),
        head.is("on-link"),
        limits,
        new Echoes(
            echoes.number("seconds"),
            echoes.number("sent"),
            echoes.number("heard"),
            echoes.number("back"),
            echoes.number("rtt-median-us"),
            echoes.number("rtt-most-us"),
            echoes.number("jitter-there-us"),
            echoes.number("jitter-back-us")),
        there.way(),
        back.way());
  }

  private static End end(Line head, String prefix) throws UnreadException {
    return new End(
        head.text(prefix + "device"),
        head.number(prefix + "mtu"),
        head.number(prefix + "route-mtu"),
        head.number(prefix + "cached-mtu"));
  }

  /** Gathers the lines of one way. */
  private static final class Builder {
    private final String name;
    private long tried;
    private long carries;
    private long said;
    private String by = "";
    private boolean refusal;
    private final Set<Crossing> sent = EnumSet.noneOf(Crossing.class);
    private final Set<Crossing> heard = EnumSet.noneOf(Crossing.class);
    private final Map<Crossing, String> skipped = new EnumMap<>(Crossing.class);

    Builder(String name) {
      this.name = name;
    }

    void take(Line line) throws UnreadException {
      if (line.has("path-mtu")) {
        tried = line.number("tried");
        carries = line.number("path-mtu");
        said = line.number("said");
        by = line.text("by");
      } else if (line.has("refusal")) {
        refusal = line.is("refusal");
      } else if (Crossing.of(line.text("crossing")).isPresent()) {
        Crossing kind = Crossing.of(line.text("crossing")).get();
        if (line.has("skipped")) {
          skipped.put(kind, line.text("skipped").replace('_', ' '));
        } else if (line.number("sent") > 0) {
          sent.add(kind);
          if (line.number("heard") > 0) {
            heard.add(kind);
          }
        }
      }
    }

    Way way() {
      return new Way(
          name,
          tried,
          carries,
          said == 0 ? OptionalLong.empty() : OptionalLong.of(said),
          by,
          refusal,
          sent,
          heard,
          skipped);
    }
  }
}
