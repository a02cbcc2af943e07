package dev.sund.agent.seen;

import dev.sund.engine.AddressBook;
import dev.sund.engine.policy.seen.Recording;
import dev.sund.engine.policy.seen.SeenFlow;
import dev.sund.engine.policy.seen.SeenLoss;
import dev.sund.engine.policy.seen.SeenParty;
import dev.sund.model.Ip;
import dev.sund.model.Prefix;
import dev.sund.model.Protocol;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * Finds out whose connections these are and adds those of this node's pods to the recording. For
 * one thread.
 *
 * <p>The API tells of a pod's address some time after the pod has it: what nobody is known for
 * waits for {@link #PATIENCE}.
 */
final class SeenWork {
  static final Duration PATIENCE = Duration.ofSeconds(30);

  /** The most kinds of connections that wait. */
  static final int MOST_WAITING = 2048;

  private static final SeenParty NODE = new SeenParty.OwnNode();

  private final Recording recording;
  private final Directory directory;
  private List<Waiting> waiting = new ArrayList<>();

  /** Seen at a time in seconds since 1970. */
  private record Waiting(RawConnections.Kind kind, long times, boolean news, long second) {}

  SeenWork(Recording recording, Directory directory) {
    this.recording = recording;
    this.directory = directory;
  }

  /** Whether some wait for their pods to be known. */
  boolean isWaiting() {
    return !waiting.isEmpty();
  }

  /**
   * Adds connections, and those that waited.
   *
   * @param news whether they began now; else they were there, and are added once
   * @param own whether an address is this node's
   * @param second now, in seconds since 1970
   */
  void add(
      Map<RawConnections.Kind, RawConnections.Count> raw, boolean news, Set<Ip> own, long second)
      throws InterruptedException {
    List<Waiting> all = waiting;
    raw.forEach((kind, count) -> all.add(new Waiting(kind, count.times, news, second)));
    waiting = new ArrayList<>();
    if (all.isEmpty()) {
      return;
    }
    Set<Ip> addresses = new HashSet<>();
    Set<Directory.Place> places = new HashSet<>();
    for (Waiting one : all) {
      addresses.add(one.kind.from());
      addresses.add(one.kind.to());
      if (one.kind.isTranslated()) {
        places.add(place(one.kind));
      }
    }
    addresses.removeAll(own);
    Directory.Known known;
    try {
      known = directory.look(addresses, places);
    } catch (TimeoutException _) {
      all.forEach(this::keep); // nobody knows yet: that is not the connections' fault
      return;
    }
    for (Waiting one : all) {
      if (!take(one, known, own)) {
        await(one, second);
      }
    }
  }

  private static Directory.Place place(RawConnections.Kind kind) {
    return new Directory.Place(kind.asked(), kind.protocol(), kind.askedPort());
  }

  private void await(Waiting one, long second) {
    if (second - one.second > PATIENCE.toSeconds()) {
      recording.lose(SeenLoss.UNKNOWN, one.times);
    } else {
      keep(one);
    }
  }

  private void keep(Waiting one) {
    if (waiting.size() >= MOST_WAITING) {
      recording.lose(SeenLoss.FULL, one.times);
    } else {
      waiting.add(one);
    }
  }

  /** Adds it if it is to be; false when it is not known yet whose it is. */
  private boolean take(Waiting one, Directory.Known known, Set<Ip> own) {
    RawConnections.Kind kind = one.kind;
    boolean bornHere = kind.from().isLoopback() || own.contains(kind.from());
    boolean endsHere = kind.to().isLoopback() || own.contains(kind.to());
    if (bornHere && endsHere) {
      return true;
    }
    AddressBook.@Nullable Holder from = bornHere ? null : known.holders().get(kind.from());
    AddressBook.@Nullable Holder to = endsHere ? null : known.holders().get(kind.to());
    if ((from == null && !bornHere) || (to == null && !endsHere)) {
      return false;
    }
    boolean out = from != null && from.here() && isPods(from.party());
    boolean in = to != null && to.here() && isPods(to.party());
    if (!out && !in) {
      return true; // this node only passes it on
    }
    if (kind.midway()) {
      recording.lose(SeenLoss.MIDWAY, one.times);
      return true;
    }
    SeenParty asker = from == null ? NODE : from.party();
    SeenParty asked = to == null ? new SeenParty.Range(Prefix.host(kind.to())) : to.party();
    if (kind.fromPort() != 0 && recording.has(asked, asker, Protocol.UDP, kind.fromPort())) {
      return true; // an answer that came after the kernel had forgotten the question
    }
    if (!one.news && recording.has(asker, asked, kind.protocol(), kind.port())) {
      return true;
    }
    String service = kind.isTranslated() ? known.services().getOrDefault(place(kind), "") : "";
    recording.add(
        new SeenFlow(
            asker,
            asked,
            kind.protocol(),
            kind.port(),
            service,
            out ? one.times : 0,
            in ? one.times : 0,
            one.second,
            one.second));
    return true;
  }

  private static boolean isPods(SeenParty party) {
    return party instanceof SeenParty.Pods;
  }
}
