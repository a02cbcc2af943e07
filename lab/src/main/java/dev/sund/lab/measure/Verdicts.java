package dev.sund.lab.measure;

import dev.sund.engine.trace.Packet.FromPod;
import dev.sund.engine.trace.Trace.Carriage;
import dev.sund.engine.trace.Trace.Outer;
import dev.sund.engine.trace.Trace.Step;
import dev.sund.kernel.Errno;
import dev.sund.kernel.socket.QueuedError;
import dev.sund.lab.question.Answer;
import dev.sund.lab.question.Answer.Path;
import dev.sund.lab.question.Answer.Reach;
import dev.sund.lab.question.Answer.Reached;
import dev.sund.lab.question.Answer.Served;
import dev.sund.lab.question.Answer.Way;
import dev.sund.lab.question.Question;
import dev.sund.model.Ip;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeSet;

/** What flights say when they are over. */
final class Verdicts {
  /** The most machines that forward a packet in a lab: two nodes with a router between. */
  static final int FARTHEST = 4;

  private Verdicts() {}

  static Answer reached(Flight flight, Map<Ip, String> machines) {
    if (flight.replied) {
      return new Reached(Reach.YES, Optional.ofNullable(flight.arrivedFrom), "answered");
    }
    int errno = flight.refusedLocally;
    QueuedError error = flight.error;
    String by = "the sender's kernel";
    if (error != null) {
      errno = error.errno();
      by =
          error
              .offender()
              .map(ip -> "ICMP from " + machines.getOrDefault(ip, ip.toString()))
              .orElse(by);
    }
    boolean unknown = // a kernel without SCTP, with nobody in it who reads its packets
        flight.sort == Flight.Sort.ASSOCIATION
            && (errno == Errno.ENOPROTOOPT.number() || errno == Errno.EPROTO.number());
    if (unknown || errno == Errno.ECONNREFUSED.number()) {
      return new Reached(Reach.REFUSED, Optional.empty(), "refused");
    }
    String why =
        errno != 0
            ? Errno.textOf(errno).toLowerCase(java.util.Locale.ROOT) + " by " + by
            : flight.arrived() ? "arrived, but the answer did not" : "silence";
    return new Reached(Reach.NO, Optional.empty(), why);
  }

  /** What was met of all that can be. */
  static Answer served(List<Flight> flights, Map<Ip, String> machines) {
    SortedSet<Way> ways = new TreeSet<>();
    for (Flight flight : flights) {
      if (reached(flight, machines) instanceof Reached(var reach, var source, var _)) {
        boolean answered = reach == Reach.YES;
        ways.add(
            new Way(
                reach,
                answered ? String.valueOf(flight.arrivedBy) : "",
                answered ? source : Optional.empty()));
      }
    }
    return new Served(ways, true);
  }

  static Answer path(List<Flight> flights, Map<Ip, String> machines) {
    Flight whole = flights.getFirst();
    if (!whole.arrived()) {
      return new Path(List.of());
    }
    List<String> names = new ArrayList<>();
    Question question = whole.question;
    if (!(question.from().origin() instanceof FromPod)) {
      names.add(question.from().machine());
    }
    for (Flight limited : flights.subList(1, flights.size())) {
      if (limited.arrived()) {
        break;
      }
      names.add(answeredBy(limited, machines));
    }
    if (names.isEmpty() || !names.getLast().equals(whole.arrivedAt)) {
      names.add(whole.arrivedAt);
    }
    List<Step> steps = new ArrayList<>();
    for (int i = 0; i < names.size(); i++) {
      steps.add(i + 1 < names.size() ? leaving(names.get(i), whole) : last(names.get(i)));
    }
    return new Path(steps);
  }

  private static String answeredBy(Flight limited, Map<Ip, String> machines) {
    QueuedError error = limited.error;
    if (error == null || !error.timeExceeded()) {
      return "?";
    }
    return error.offender().map(ip -> machines.getOrDefault(ip, ip.toString())).orElse("?");
  }

  private static Step leaving(String machine, Flight whole) {
    Optional<Outer> outer = whole.seen.getOrDefault(machine, Optional.empty());
    return new Step(machine, outer.map(Outer::carriage).orElse(Carriage.DIRECT), outer);
  }

  private static Step last(String machine) {
    return new Step(machine, Carriage.LOCAL, Optional.empty());
  }
}
