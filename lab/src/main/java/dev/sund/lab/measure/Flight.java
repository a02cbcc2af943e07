package dev.sund.lab.measure;

import dev.sund.engine.trace.Packet.Origin;
import dev.sund.engine.trace.Trace.Outer;
import dev.sund.kernel.socket.Endpoint;
import dev.sund.kernel.socket.QueuedError;
import dev.sund.lab.question.Question;
import dev.sund.model.Ip;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** One packet or connection of a question and what became of it. Used by the loop's thread only. */
final class Flight {
  /** How it is sent. */
  enum Sort {
    /** One datagram. */
    DATAGRAM,
    /** One datagram whose time to live is {@link Flight#number}. */
    LIMITED,
    /** One datagram that may not be cut, as an IP packet {@link Flight#number} bytes long. */
    SIZED,
    /** A TCP connection. */
    CONNECTION,
    /** The first packet of an SCTP association. */
    ASSOCIATION
  }

  final int id;
  final Question question;
  final Sort sort;

  /** Time to live, or size in bytes. */
  final int number;

  /** Sent at this time of {@link System#nanoTime}; 0 while it is not. */
  long sentAt;

  int attempts;
  boolean replied;

  /**
   * Errno by which the sender's kernel refused it, positive; 0 when it did not. An ABORT counts.
   */
  int refusedLocally;

  /** The source address that the receiver saw; null while it has not arrived. */
  @Nullable Ip arrivedFrom;

  /** The machine that it arrived at; empty while it has not. */
  String arrivedAt = "";

  /** Who it arrived at; null while it has not. */
  @Nullable Origin arrivedBy;

  @Nullable QueuedError error;

  /** By machine whose uplink it left by: how it was wrapped. */
  final Map<String, Optional<Outer>> seen = new LinkedHashMap<>();

  Flight(int id, Question question, Sort sort, int number) {
    this.id = id;
    this.question = question;
    this.sort = sort;
    this.number = number;
  }

  /** The tag of an association: the flight's number, in a place of our own. */
  private static final int TAG = 0x53000000;

  private static final int FIRST_PORT = 20_000;
  private static final int PORTS = 40_000;

  /** The flight that a packet with this tag belongs to. */
  static int ofTag(int tag) {
    return tag - TAG;
  }

  /** How it asks for an association. */
  SctpPacket init() {
    return new SctpPacket(
        FIRST_PORT + id % PORTS, question.port(), SctpPacket.Chunk.INIT, TAG + id);
  }

  Endpoint destination() {
    return new Endpoint(question.destination(), question.port());
  }

  /** Whether nothing more needs to be waited for. */
  boolean settled() {
    return replied || refusedLocally != 0 || error != null;
  }

  void arrive(Site site, Ip source) {
    arrivedFrom = source;
    arrivedAt = site.machine();
    arrivedBy = site.origin();
  }

  void fail(QueuedError told) {
    if (error == null) {
      error = told;
    }
  }

  boolean arrived() {
    return arrivedFrom != null;
  }
}
