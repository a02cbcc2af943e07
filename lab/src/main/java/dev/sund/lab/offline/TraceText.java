package dev.sund.lab.offline;

import dev.sund.engine.trace.Trace;
import dev.sund.engine.trace.Trace.AtHost;
import dev.sund.engine.trace.Trace.AtNode;
import dev.sund.engine.trace.Trace.AtPod;
import dev.sund.engine.trace.Trace.Hop;
import dev.sund.model.Ip;
import dev.sund.model.Reason;
import java.util.List;
import java.util.Locale;

/** A trace as text for people. */
public final class TraceText {
  private TraceText() {}

  /** The packet, its hops there and back with the rules that decided, and the verdict. */
  public static String of(Trace trace) {
    StringBuilder text = new StringBuilder();
    text.append(trace.packet().origin()).append(" -> ").append(target(trace)).append('\n');
    hops(text, trace.there());
    text.append("there: ")
        .append(trace.outcome().code())
        .append(trace.delivered() ? to(trace) : told(trace))
        .append('\n');
    if (trace.delivered()) {
      hops(text, trace.back());
      text.append("back:  ")
          .append(trace.answered() ? "answered" : trace.backOutcome().code())
          .append('\n');
    }
    return text.append("verdict: ").append(verdict(trace)).append('\n').toString();
  }

  /** The reason in the end: of the way there, or of the way back of what arrived. */
  public static Reason reason(Trace trace) {
    return trace.delivered() && !trace.answered() ? trace.backOutcome() : trace.outcome();
  }

  private static String verdict(Trace trace) {
    return trace.answered() ? "allowed" : "blocked, " + reason(trace).code();
  }

  private static void hops(StringBuilder text, List<Hop> hops) {
    int machine = hops.stream().mapToInt(hop -> hop.machine().length()).max().orElse(0);
    for (Hop hop : hops) {
      String rule = hop.rule().map(id -> "  [" + id.object() + "]").orElse("");
      text.append(
          "  %-"
              .concat(machine + "s  %-11s %s%s%s%n")
              .formatted(
                  hop.machine(),
                  hop.stage().name().toLowerCase(Locale.ROOT),
                  hop.text(),
                  hop.mtu() > 0 ? ", mtu " + hop.mtu() : "",
                  rule));
    }
  }

  private static String target(Trace trace) {
    Ip ip = trace.packet().destination();
    String protocol = trace.packet().protocol().label();
    return trace.packet().port() == 0
        ? ip + " " + protocol
        : ip + " " + trace.packet().port() + "/" + protocol;
  }

  private static String to(Trace trace) {
    return " to %s, %s, largest packet %d, source %s"
        .formatted(
            arrival(trace),
            trace.carriage().name().toLowerCase(Locale.ROOT),
            trace.pathMtu(),
            trace.sourceSeen().map(Ip::toString).orElse("?"));
  }

  private static String told(Trace trace) {
    return trace
        .notice()
        .map(notice -> ", told by " + notice.machine() + (notice.arrives() ? "" : " (lost)"))
        .orElse(", without a word to the sender");
  }

  /** Who received it. */
  public static String arrival(Trace trace) {
    return trace
        .arrival()
        .map(at ->
            switch (at) {
              case AtPod(var node, var pod) -> "pod " + pod + " on " + node;
              case AtNode(var node) -> "node " + node;
              case AtHost(var host) -> "host " + host;
            })
        .orElse("nobody");
  }

  /** The change that would let a packet through. */
  public static String change(String yaml) {
    return "\nThis would let it through:\n\n" + yaml.indent(2) + "\n";
  }
}
