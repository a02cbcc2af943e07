package dev.sund.doctor.probe;

import dev.sund.doctor.Line;
import dev.sund.doctor.LineText;
import dev.sund.doctor.UnreadException;
import dev.sund.kernel.Errno;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.socket.Endpoint;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import java.io.IOException;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.random.RandomGenerator;

/**
 * Measures the way to a peer and back, and writes it as the fact {@code probe}. It sends at most a
 * few thousand small packets and some hundred large ones. Needs CAP_NET_RAW. On one platform
 * thread.
 */
final class Prober implements AutoCloseable {
  private static final long MILLI = 1_000_000;
  private static final long INTERVAL = 20 * MILLI;
  private static final int ECHO_BYTES = 128;
  private static final int WARM_UP = 20;
  private static final int NUMBERS = 12;
  private static final int LEAST_V4 = 576;
  private static final int LEAST_V6 = 1_280;
  private static final int MOST_TRIES = 12;

  private final NetNs node;
  private final ProbeSettings settings;
  private final Asker asker;
  private final Station station;
  private final LineText text = new LineText();
  private int tries = 3;
  private OptionalInt saidThere = OptionalInt.empty();

  private Prober(NetNs node, ProbeSettings settings, Asker asker, Station station) {
    this.node = node;
    this.settings = settings;
    this.asker = asker;
    this.station = station;
  }

  /**
   * Measures.
   *
   * @return the fact's text
   * @throws UnreadException when the peer does not answer
   * @throws KernelException.Denied without CAP_NET_RAW
   */
  static String probe(NetNs node, ProbeSettings settings, RandomGenerator random)
      throws KernelException, UnreadException {
    Message session =
        new Message(
            Message.mark(random.nextInt()), random.nextLong(), 0, Message.Kind.HELLO, 0, 0, "");
    Asker asker = Asker.open(node, settings.peer(), session);
    try {
      Reach before = Reach.to(node, settings.peer().ip());
      if (before.local().equals(before.remote())) {
        throw new UnreadException(
            "the peer " + before.remote() + " is this node itself", "Name another node.");
      }
      Line theirs = asker.hello();
      Station station = Station.open(node, asker.session(), settings.peer(), settings.podSources());
      try (Prober prober = new Prober(node, settings, asker, station)) {
        return prober.measure(before, theirs);
      }
    } finally {
      asker.bye();
      asker.close();
    }
  }

  private String measure(Reach before, Line theirs) throws KernelException, UnreadException {
    Endpoint peer = settings.peer();
    text.word("probe", "peer")
        .word("peer", peer.ip())
        .word("port", peer.port())
        .word("local", before.local())
        .word("seen", theirs.text("seen"))
        .word("device", before.device())
        .word("mtu", before.mtu())
        .word("route-mtu", before.routeMtu())
        .word("cached-mtu", before.cachedMtu())
        .flag("on-link", before.onLink())
        .word("peer-device", theirs.text("device"))
        .word("peer-mtu", theirs.text("mtu"))
        .word("peer-route-mtu", theirs.text("route-mtu"))
        .word("peer-cached-mtu", theirs.text("cached-mtu"))
        .end();
    settings.limits().write(text);
    delays();
    sizes(before, theirs);
    refusals();
    crossings();
    return text.toString();
  }

  /** Echoes for a window: what is lost each way, round trips, jitter. */
  private void delays() throws KernelException, UnreadException {
    Delays delays = new Delays();
    long[] sentAt = new long[1 << 16];
    BitSet back = new BitSet();
    asker.others(received -> {
      Message echo = received.message();
      int number = echo.sequence();
      if (echo.kind() == Message.Kind.ECHOED && echo.value() == 1 && !back.get(number)) {
        back.set(number);
        delays.add(
            new Delays.Echo(
                sentAt[number],
                received.bytes().getLong(Message.HEADER),
                received.bytes().getLong(Message.HEADER + 8),
                System.nanoTime()));
      }
    });
    for (int i = 0; i < WARM_UP; i++) { // the first packets find cold code on both sides
      send(Message.Kind.ECHO, i, 0, ECHO_BYTES);
      asker.listen(System.nanoTime() + 5 * MILLI, _ -> false);
    }
    int count = Math.clamp(settings.window().toNanos() / INTERVAL, 1, (1 << 16) - 1);
    long next = System.nanoTime();
    for (int i = 0; i < count; i++) {
      sentAt[i] = System.nanoTime();
      send(Message.Kind.ECHO, i, 1, ECHO_BYTES);
      next += INTERVAL;
      asker.listen(next, _ -> false);
    }
    asker.listen(System.nanoTime() + asker.patience(), _ -> back.cardinality() == count);
    // Before it answers this, a peer that was held up has sent all echoes back.
    int heard = Math.toIntExact(asker.ask(Message.Kind.REPORT, 0, 0).number("echoes"));
    asker.others(_ -> {});
    double lost = 1 - (double) back.cardinality() / count;
    // As many as make it unlikely, 1 in 10,000, that all are lost by chance.
    tries =
        lost <= 0.05
            ? 3
            : Math.clamp((long) Math.ceil(Math.log(1e-4) / Math.log(lost)), 3, MOST_TRIES);
    text.word("latency", 1)
        .word("seconds", settings.window().toSeconds())
        .word("sent", count)
        .word("heard", heard)
        .word("back", back.cardinality())
        .word("rtt-least-us", delays.micros(0))
        .word("rtt-median-us", delays.micros(50))
        .word("rtt-99-us", delays.micros(99))
        .word("rtt-most-us", delays.micros(100))
        .word("jitter-there-us", delays.jitterThereMicros())
        .word("jitter-back-us", delays.jitterBackMicros())
        .end();
  }

  private int send(Message.Kind kind, int number, int value, int length) {
    return asker.wire().send(asker.session().with(kind, number, value, ""), length, asker.peer());
  }

  /** The largest packet each way. */
  private void sizes(Reach before, Line theirs) throws KernelException, UnreadException {
    int least = before.local().family() == Family.V4 ? LEAST_V4 : LEAST_V6;
    int there = largest(least, before.mtu(), this::arrivesThere, () -> asker.troubles().said());
    size("there", before.mtu(), there, asker.troubles().said(), asker.troubles().saidBy());
    int theirMtu = Math.toIntExact(theirs.number("mtu"));
    int back = largest(least, theirMtu, this::arrivesHere, () -> saidThere);
    Line report = asker.ask(Message.Kind.REPORT, 0, 0);
    size("back", theirMtu, back, said(report), Ip.tryParse(report.text("by")));
  }

  private static int largest(int least, int mtu, PathSearch.Trial trial, PathSearch.Hint hint)
      throws KernelException, UnreadException {
    try {
      return PathSearch.largest(least, Math.min(mtu, Wire.MOST), trial, hint);
    } catch (Silent e) {
      throw e.reason;
    } catch (KernelException e) {
      throw e;
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Carries an answerer's silence through a search. */
  private static final class Silent extends IOException {
    private static final long serialVersionUID = 1L;
    private final transient UnreadException reason;

    Silent(UnreadException reason) {
      super(reason);
      this.reason = reason;
    }
  }

  private void size(String way, int tried, int largest, OptionalInt said, Optional<Ip> by) {
    text.word("way", way).word("tried", tried).word("path-mtu", largest);
    said.ifPresent(size -> text.word("said", size));
    by.ifPresent(router -> text.word("by", router));
    text.end();
  }

  private boolean arrivesThere(int size) throws IOException {
    int number = size;
    for (int i = 0; i < tries; i++) {
      if (Errno.EMSGSIZE.is(send(Message.Kind.SIZE, number, size, size))) {
        return false;
      }
    }
    boolean[] heard = new boolean[1];
    asker.others(received -> {
      Message message = received.message();
      heard[0] |=
          message.kind() == Message.Kind.SIZE_HEARD
              && message.sequence() == number
              && message.value() == size;
    });
    try {
      asker.listen(System.nanoTime() + asker.patience(), _ -> heard[0]);
      if (!heard[0]) {
        // Before it answers this, a peer that was held up has said what it heard.
        asker.ask(Message.Kind.REPORT, 0, 0);
      }
      return heard[0];
    } catch (UnreadException e) {
      throw new Silent(e);
    } finally {
      asker.others(_ -> {});
    }
  }

  private boolean arrivesHere(int size) throws IOException {
    boolean[] heard = new boolean[1];
    asker.others(received ->
        heard[0] |= received.message().kind() == Message.Kind.SIZE && received.length() == size);
    try {
      for (int i = 0; i < MOST_TRIES; i++) {
        Line answer =
            asker.ask(Message.Kind.SEND_SIZE, size, size, tries * size + Message.QUESTION);
        saidThere = said(answer);
        if (!heard[0] && answer.number("sent") > 0) {
          asker.listen(System.nanoTime() + asker.patience(), _ -> heard[0]);
        }
        if (!heard[0] && answer.number("sent") > 0) {
          asker.ask(Message.Kind.REPORT, 0, 0); // the same: what was sent, was sent before
        }
        if (heard[0] || answer.number("sent") > 0 || answer.is("too-long")) {
          return heard[0];
        } // else what was paid got lost
      }
      return heard[0];
    } catch (UnreadException e) {
      throw new Silent(e);
    } finally {
      asker.others(_ -> {});
    }
  }

  private static OptionalInt said(Line line) throws UnreadException {
    int size = Math.toIntExact(line.number("said"));
    return size == 0 ? OptionalInt.empty() : OptionalInt.of(size);
  }

  /** Whether ICMP comes back from a port where nobody listens, each way. */
  private void refusals() throws KernelException, UnreadException {
    int theirs = Math.toIntExact(asker.ask(Message.Kind.CLOSED_PORT, 0, 0).number("port")) & 0xffff;
    Endpoint closed = new Endpoint(settings.peer().ip(), theirs);
    int before = asker.troubles().refused();
    for (int i = 0; i < tries && asker.troubles().refused() == before; i++) {
      Message packet = asker.session().with(Message.Kind.FILLER, i, 0, "");
      asker.wire().send(packet, packet.length() + asker.wire().headers(), closed);
      asker.listen(System.nanoTime() + asker.patience(), _ -> false);
    }
    text.word("way", "there").flag("refusal", asker.troubles().refused() > before).end();
    int here = station.freePort();
    long heard = asker.ask(Message.Kind.REPORT, 0, 0).number("refused");
    boolean any = false;
    for (int i = 0; i < tries && !any; i++) {
      asker.ask(Message.Kind.SEND_CLOSED, here, 0);
      asker.listen(System.nanoTime() + asker.patience(), _ -> false);
      any = asker.ask(Message.Kind.REPORT, 0, 0).number("refused") > heard;
    }
    text.word("way", "back").flag("refusal", any).end();
  }

  /** Which kinds of packets get there, and back. */
  private void crossings() throws KernelException, UnreadException {
    Reach reach = Reach.to(node, settings.peer().ip());
    Map<Crossing, Integer> sent = new EnumMap<>(Crossing.class);
    Map<Crossing, String> skipped = new EnumMap<>(Crossing.class);
    Map<Crossing, Integer> heard = Map.of();
    for (int round = 0; round < 2; round++) {
      for (Crossing kind : Crossing.values()) {
        Optional<String> obstacle = station.obstacle(kind, reach);
        obstacle.ifPresent(why -> skipped.put(kind, why));
        if (obstacle.isEmpty() && !heard.containsKey(kind)) {
          sent.merge(kind, station.send(kind, reach, round * NUMBERS, NUMBERS), Integer::sum);
        }
      }
      settle();
      heard = heard(asker.ask(Message.Kind.REPORT, 0, 0));
      if (heard.keySet().containsAll(sent.keySet())) {
        break;
      }
    }
    write("there", sent, skipped, heard);
    sent.clear();
    skipped.clear();
    heard = Map.of();
    station.heard().drain();
    for (int round = 0; round < 2; round++) {
      for (Crossing kind : Crossing.values()) {
        for (int i = 0; i < NUMBERS && !heard.containsKey(kind); i += Session.BURST) {
          Line answer =
              asker.ask(Message.Kind.SEND_CROSSING, kind.ordinal(), round * NUMBERS + i, 1_024);
          station.heard().drain();
          if (answer.has("skipped")) {
            skipped.put(kind, answer.text("skipped"));
            break;
          }
          sent.merge(kind, Math.toIntExact(answer.number("sent")), Integer::sum);
        }
      }
      settle();
      heard = station.heard().counts();
      if (heard.keySet().containsAll(sent.keySet())) {
        break;
      }
    }
    write("back", sent, skipped, heard);
  }

  /** A packet ring shows what has come after a moment. */
  private void settle() throws KernelException {
    asker.listen(System.nanoTime() + asker.patience() + 100 * MILLI, _ -> false);
  }

  private static Map<Crossing, Integer> heard(Line report) {
    Map<Crossing, Integer> heard = new EnumMap<>(Crossing.class);
    for (String word : report.list("heard")) {
      int colon = word.lastIndexOf(':');
      if (colon > 0 && word.substring(colon + 1).matches("\\d{1,6}")) {
        Crossing.of(word.substring(0, colon))
            .ifPresent(kind -> heard.put(kind, Integer.parseInt(word.substring(colon + 1))));
      }
    }
    return heard;
  }

  private void write(
      String way,
      Map<Crossing, Integer> sent,
      Map<Crossing, String> skipped,
      Map<Crossing, Integer> heard) {
    List<Crossing> all = new ArrayList<>(List.of(Crossing.values()));
    for (Crossing kind : all) {
      text.word("way", way).word("crossing", kind.key());
      if (skipped.containsKey(kind)) {
        text.word("skipped", skipped.getOrDefault(kind, ""));
      } else {
        text.word("sent", sent.getOrDefault(kind, 0)).word("heard", heard.getOrDefault(kind, 0));
      }
      text.end();
    }
  }

  @Override
  public void close() {
    station.close();
  }
}
