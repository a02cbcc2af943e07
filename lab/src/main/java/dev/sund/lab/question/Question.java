package dev.sund.lab.question;

import dev.sund.model.Checks;
import dev.sund.model.Ip;
import dev.sund.model.Protocol;
import java.util.ArrayList;
import java.util.List;

/**
 * Something to be predicted and measured about packets from one party to an address.
 *
 * @param id its place in the list of all questions, from 0
 * @param kind what is asked
 * @param from who sends
 * @param to whose address it is; for an address that nobody has, the party that it would belong to
 * @param destination the address
 * @param protocol TCP, UDP or SCTP; UDP for {@link Kind#PATH} and {@link Kind#MTU}
 * @param port the destination port, 1 to 65535
 * @param sizes for {@link Kind#MTU} the sizes to begin with in bytes; empty for other kinds
 */
public record Question(
    int id,
    Kind kind,
    Party from,
    Party to,
    Ip destination,
    Protocol protocol,
    int port,
    List<Integer> sizes) {

  /** What is asked. */
  public enum Kind {
    /** Whether a connection or a request is answered, and with which source it arrives. */
    REACH,
    /** Whether a Service's address answers, who does, and with which source it arrives there. */
    SERVICE,
    /** Which machines forward the packet, and how it is wrapped between them. */
    PATH,
    /** The largest packet that arrives undivided, and what becomes of one byte more. */
    MTU
  }

  public Question {
    Checks.that(
        protocol != Protocol.ICMP,
        "a question is about a protocol with ports, but this is about " + protocol.label());
    Checks.range("port", port, 1, 65535);
    sizes = List.copyOf(sizes);
  }

  /** The same question with these sizes. */
  public Question withSizes(List<Integer> newSizes) {
    return new Question(id, kind, from, to, destination, protocol, port, newSizes);
  }

  /** The same questions, numbered anew from 0. */
  public static List<Question> renumbered(List<Question> questions) {
    List<Question> numbered = new ArrayList<>();
    for (Question question : questions) {
      numbered.add(
          new Question(
              numbered.size(),
              question.kind,
              question.from,
              question.to,
              question.destination,
              question.protocol,
              question.port,
              question.sizes));
    }
    return numbered;
  }

  /** {@code shop/web -> shop/db 5432/tcp v6}. */
  @Override
  public String toString() {
    return from
        + " -> "
        + to
        + " "
        + port
        + "/"
        + protocol.label()
        + " "
        + destination.family().label();
  }
}
