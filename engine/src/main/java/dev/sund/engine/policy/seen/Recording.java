package dev.sund.engine.policy.seen;

import dev.sund.model.Checks;
import dev.sund.model.Family;
import dev.sund.model.Prefix;
import dev.sund.model.Protocol;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Adds up what is seen, in bounded memory: at most so many flows, and of addresses that are no
 * pod's at most {@link #MOST_ADDRESSES} for one workload, direction and port. When there are more,
 * those of one /24 (IPv6: /64) become one range, then those of one /16 (/48), then all of the
 * family.
 *
 * <p>Not for several threads.
 */
public final class Recording {
  /** The most flows, unless somebody says otherwise. */
  public static final int MOST_FLOWS = 4096;

  /** The most single addresses, or ranges of one length, that one port of a workload has. */
  public static final int MOST_ADDRESSES = 16;

  private static final Map<Family, List<Integer>> LENGTHS =
      Map.of(Family.V4, List.of(32, 24, 16, 0), Family.V6, List.of(128, 64, 48, 0));

  private static final int STEPS = 4;

  private final int mostFlows;
  private final Map<SeenFlow.Key, Counts> flows = new LinkedHashMap<>();
  private final Map<Fan, Width> widths = new HashMap<>();
  private final EnumMap<SeenLoss, Long> losses = new EnumMap<>(SeenLoss.class);
  private long widened;
  private long kinds;

  /** How often one flow was seen, and when. */
  private static final class Counts {
    long out;
    long in;
    long first;
    long last;

    void take(SeenFlow flow) {
      out += flow.out();
      in += flow.in();
      first = first == 0 ? flow.first() : Math.min(first, flow.first());
      last = Math.max(last, flow.last());
    }

    SeenFlow flow(SeenFlow.Key key) {
      return new SeenFlow(
          key.from(), key.to(), key.protocol(), key.port(), key.service(), out, in, first, last);
    }
  }

  /** One port of a workload, and who is at its other end of one family. */
  private record Fan(
      SeenParty workload, boolean asking, Protocol protocol, int port, Family family) {}

  /** How long prefixes of a fan are now, by place in {@link #LENGTHS}; and how many there are. */
  private static final class Width {
    int step;
    int count;
  }

  /** An empty one. */
  public Recording(int mostFlows) {
    Checks.range("most flows", mostFlows, 1, 1_000_000);
    this.mostFlows = mostFlows;
  }

  /** Goes on with what was recorded before. */
  public void resume(Recorded before) {
    before.flows().forEach(this::add);
    before.losses().forEach(this::lose);
    widened += before.widened();
  }

  /** Something was not seen. */
  public void lose(SeenLoss what, long count) {
    losses.merge(what, count, Long::sum);
  }

  /** How much of each was lost. */
  public long lost(SeenLoss what) {
    return losses.getOrDefault(what, 0L);
  }

  /** How many flows there are. */
  public int size() {
    return flows.size();
  }

  /** Grows with each new kind of flow: what is on disk is behind when it differs. */
  public long kinds() {
    return kinds;
  }

  /** Whether connections of this kind were seen, by whichever Service. */
  public boolean has(SeenParty from, SeenParty to, Protocol protocol, int port) {
    SeenFlow.Key bare = new SeenFlow.Key(from, to, protocol, port, "");
    return flows.containsKey(bare)
        || flows.keySet().stream()
            .anyMatch(key ->
                key.port() == port
                    && key.protocol() == protocol
                    && key.from().equals(from)
                    && key.to().equals(to));
  }

  /**
   * Adds connections.
   *
   * @return whether they were of a kind that was not there
   */
  public boolean add(SeenFlow seen) {
    Optional<Fan> fan = fan(seen);
    SeenFlow flow = fan.isPresent() ? widened(seen, fan.get()) : seen;
    Counts known = flows.get(flow.key());
    if (known != null) {
      known.take(flow);
      return false;
    }
    if (flows.size() >= mostFlows) {
      lose(SeenLoss.FULL, flow.times());
      return false;
    }
    put(flow);
    kinds++;
    if (fan.isPresent()) {
      Width width = widths.computeIfAbsent(fan.get(), _ -> new Width());
      width.count++;
      if (width.count > MOST_ADDRESSES && width.step < STEPS - 1) {
        widen(fan.get(), width);
      }
    }
    return true;
  }

  private void put(SeenFlow flow) {
    flows.computeIfAbsent(flow.key(), _ -> new Counts()).take(flow);
  }

  private static Optional<Fan> fan(SeenFlow flow) {
    if (flow.to() instanceof SeenParty.Range(Prefix prefix)) {
      return Optional.of(new Fan(flow.from(), true, flow.protocol(), flow.port(), prefix.family()));
    }
    if (flow.from() instanceof SeenParty.Range(Prefix prefix)) {
      return Optional.of(new Fan(flow.to(), false, flow.protocol(), flow.port(), prefix.family()));
    }
    return Optional.empty();
  }

  /** The flow with as wide a range as its fan has; one of a wider range makes the fan wider. */
  private SeenFlow widened(SeenFlow flow, Fan fan) {
    Width width = widths.computeIfAbsent(fan, _ -> new Width());
    List<Integer> lengths = LENGTHS.getOrDefault(fan.family, List.of());
    if ((fan.asking ? flow.to() : flow.from()) instanceof SeenParty.Range(Prefix prefix)) {
      while (width.step < STEPS - 1 && prefix.length() < lengths.get(width.step)) {
        width.step++;
      }
    }
    return with(flow, fan, lengths.get(width.step));
  }

  private static SeenFlow with(SeenFlow flow, Fan fan, int length) {
    SeenParty other = fan.asking ? flow.to() : flow.from();
    if (!(other instanceof SeenParty.Range(Prefix prefix)) || prefix.length() <= length) {
      return flow;
    }
    SeenParty wide = new SeenParty.Range(Prefix.around(prefix.address(), length));
    return new SeenFlow(
        fan.asking ? flow.from() : wide,
        fan.asking ? wide : flow.to(),
        flow.protocol(),
        flow.port(),
        flow.service(),
        flow.out(),
        flow.in(),
        flow.first(),
        flow.last());
  }

  private void widen(Fan fan, Width width) {
    List<SeenFlow> own = new ArrayList<>();
    flows.forEach((key, counts) -> {
      SeenFlow flow = counts.flow(key);
      if (fan(flow).equals(Optional.of(fan))) {
        own.add(flow);
      }
    });
    own.forEach(flow -> flows.remove(flow.key()));
    List<Integer> lengths = LENGTHS.getOrDefault(fan.family, List.of());
    Map<SeenFlow.Key, SeenFlow> fewer = new LinkedHashMap<>();
    do {
      width.step++;
      fewer.clear();
      for (SeenFlow flow : own) {
        SeenFlow wide = with(flow, fan, lengths.get(width.step));
        fewer.merge(wide.key(), wide, SeenFlow::and);
      }
    } while (fewer.size() > MOST_ADDRESSES && width.step < STEPS - 1);
    fewer.values().forEach(this::put);
    width.count = fewer.size();
    widened++;
    kinds++;
  }

  /** How things stand. */
  public Recorded recorded(String node, List<Recorded.Window> windows) {
    List<SeenFlow> all = new ArrayList<>(flows.size());
    flows.forEach((key, counts) -> all.add(counts.flow(key)));
    return new Recorded(node, windows, losses, widened, List.of(), all);
  }
}
