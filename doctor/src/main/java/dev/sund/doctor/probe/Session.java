package dev.sund.doctor.probe;

import dev.sund.doctor.LineText;
import dev.sund.kernel.Errno;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.socket.Endpoint;
import dev.sund.model.Ip;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The answerer's side of one session. It owes the prober nothing that was not paid for: each byte
 * that it sends is taken from those that came with the session's keys.
 */
final class Session implements AutoCloseable {
  /** So many test packets at most go for one question. */
  static final int BURST = 4;

  private final Message identity;
  private final Endpoint prober;
  private final Station station;
  private final Wire wire;
  private final Troubles troubles = new Troubles();
  private final BitSet echoes = new BitSet();
  private @Nullable Reach reach;
  private long credit;
  private long lastHeard;

  private Session(Message identity, Endpoint prober, Station station, Wire wire, long now) {
    this.identity = identity;
    this.prober = prober;
    this.station = station;
    this.wire = wire;
    this.lastHeard = now;
  }

  /** Begins one. */
  static Session open(
      NetNs node, Message identity, Endpoint prober, List<Ip> podSources, Wire wire, long now)
      throws KernelException {
    Station station = Station.open(node, identity, prober, podSources);
    return new Session(identity, prober, station, wire, now);
  }

  Endpoint prober() {
    return prober;
  }

  Troubles troubles() {
    return troubles;
  }

  long lastHeard() {
    return lastHeard;
  }

  /** Whether this first question is the one with which it began: the answer to it was lost. */
  boolean beganWith(Message hello, Endpoint from) {
    return hello.mark() == identity.mark() && hello.key() == identity.key() && from.equals(prober);
  }

  /** Whether a message has its keys and comes from where it began. */
  boolean isMeant(Message message, Endpoint from) {
    return message.isOf(identity) && from.equals(prober);
  }

  /** Does what a message asks for. */
  void take(Wire.Received received, long now) throws KernelException {
    lastHeard = now;
    credit += received.length();
    station.heard().drain();
    Message asked = received.message();
    switch (asked.kind()) {
      case HELLO -> answer(asked, greeting());
      case ECHO -> {
        if (asked.value() != 0 && asked.sequence() >= 0 && asked.sequence() < 1 << 16) {
          echoes.set(asked.sequence());
        }
        spend(received.length());
        wire.send(
            identity.with(Message.Kind.ECHOED, asked.sequence(), asked.value(), ""),
            received.length(),
            prober,
            now,
            System.nanoTime());
      }
      case SIZE -> {
        Message heard =
            identity.with(Message.Kind.SIZE_HEARD, asked.sequence(), received.length(), "");
        if (spend(heard.length() + wire.headers())) {
          wire.send(heard, heard.length() + wire.headers(), prober);
        }
      }
      case SEND_SIZE -> answer(asked, sizes(asked));
      case SEND_CROSSING -> answer(asked, cross(asked));
      case CLOSED_PORT -> answer(asked, new LineText().word("port", station.freePort()));
      case SEND_CLOSED -> answer(asked, refusals(asked));
      case REPORT -> answer(asked, report());
      case FILLER, BYE, ECHOED, SIZE_HEARD, CROSSING, ANSWER -> {
        // nothing to say
      }
    }
  }

  private LineText greeting() throws KernelException {
    Reach known = station.reach();
    return new LineText()
        .word("device", known.device())
        .word("mtu", known.mtu())
        .word("route-mtu", known.routeMtu())
        .word("cached-mtu", known.cachedMtu())
        .flag("on-link", known.onLink())
        .word("seen", prober.ip());
  }

  private LineText sizes(Message asked) {
    int size = asked.value();
    LineText text = new LineText();
    if (size < Message.HEADER + wire.headers() || size > Wire.MOST) {
      return text.word("sent", 0);
    }
    int sent = 0;
    int error = 0;
    while (sent < 16 && spend(size)) {
      error = wire.send(identity.with(Message.Kind.SIZE, asked.sequence(), size, ""), size, prober);
      if (error != 0) {
        break;
      }
      sent++;
    }
    return said(text.word("sent", sent).flag("too-long", Errno.EMSGSIZE.is(error)));
  }

  private LineText said(LineText text) {
    wire.drain();
    troubles.said().ifPresent(size -> text.word("said", size));
    troubles.saidBy().ifPresent(router -> text.word("by", router));
    return text;
  }

  private LineText cross(Message asked) throws KernelException {
    LineText text = new LineText();
    if (asked.value() < 0 || asked.value() >= Crossing.values().length) {
      return text.word("skipped", "not known to this release");
    }
    Crossing kind = Crossing.values()[asked.value()];
    Reach way = reach;
    if (way == null) { // the first answers have made the kernel learn the neighbour
      way = station.reach();
      reach = way;
    }
    Optional<String> obstacle = station.obstacle(kind, way);
    if (obstacle.isPresent()) {
      return text.word("skipped", obstacle.get());
    }
    int count = 0;
    while (count < BURST && spend(Station.MOST_BYTES)) {
      count++;
    }
    return text.word("sent", station.send(kind, way, asked.sequence(), count));
  }

  private LineText refusals(Message asked) {
    Endpoint closed = new Endpoint(prober.ip(), asked.value() & 0xffff);
    Message packet = identity.with(Message.Kind.FILLER, asked.sequence(), 0, "");
    int length = packet.length() + wire.headers();
    int sent = 0;
    while (sent < 2 && spend(length)) {
      wire.send(packet, length, closed);
      sent++;
    }
    return new LineText().word("sent", sent);
  }

  private LineText report() {
    List<String> heard = new ArrayList<>();
    for (Map.Entry<Crossing, Integer> one : station.heard().counts().entrySet()) {
      heard.add(one.getKey().key() + ":" + one.getValue());
    }
    return said(
        new LineText()
            .list("heard", heard)
            .word("echoes", echoes.cardinality())
            .word("refused", troubles.refused()));
  }

  private void answer(Message asked, LineText words) {
    Message answer =
        identity.with(Message.Kind.ANSWER, asked.sequence(), 0, words.toString().strip());
    int length = answer.length() + wire.headers();
    if (spend(length)) {
      wire.send(answer, length, prober);
    }
  }

  private boolean spend(int bytes) {
    if (credit < bytes) {
      return false;
    }
    credit -= bytes;
    return true;
  }

  @Override
  public void close() {
    station.close();
  }
}
