package dev.sund.cli;

import dev.sund.engine.trace.Trace;
import dev.sund.engine.trace.Trace.AtHost;
import dev.sund.engine.trace.Trace.AtNode;
import dev.sund.engine.trace.Trace.AtPod;
import dev.sund.engine.trace.Trace.Hop;
import dev.sund.model.Ip;
import dev.sund.model.RuleId;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;

/** A trace as text for people and as JSON for programs. */
final class TraceOutput {
  private TraceOutput() {}

  static String text(Trace trace) {
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
    return text.toString();
  }

  private static void hops(StringBuilder text, List<Hop> hops) {
    int machine = hops.stream().mapToInt(hop -> hop.machine().length()).max().orElse(0);
    for (Hop hop : hops) {
      String rule = hop.rule().map(id -> "  [" + id.object() + "]").orElse("");
      text.append(
          "  %-"
              .concat(machine + "s  %-11s %s%s%n")
              .formatted(
                  hop.machine(), hop.stage().name().toLowerCase(Locale.ROOT), hop.text(), rule));
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
    return " to %s, %s, mtu %d, source %s"
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

  private static String arrival(Trace trace) {
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
  static String change(String yaml) {
    return "\nThis would let it through:\n\n" + yaml.indent(2) + "\n";
  }

  static String json(
      List<Trace> traces, Function<Trace, Optional<String>> change, List<String> assumptions) {
    return "{\"traces\":["
        + traces.stream()
            .map(trace -> json(trace, change.apply(trace)))
            .collect(Collectors.joining(","))
        + "],\"assumed\":["
        + assumptions.stream().map(JsonText::quote).collect(Collectors.joining(","))
        + "]}";
  }

  private static String json(Trace trace, Optional<String> change) {
    return "{\"from\":%s,\"to\":%s,\"protocol\":%s,\"port\":%d,\"outcome\":%s,\"delivered\":%s,\"answered\":%s,\"arrival\":%s,\"carriage\":%s,\"mtu\":%d,\"source\":%s,\"change\":%s,\"there\":%s,\"back\":%s}"
        .formatted(
            JsonText.quote(trace.packet().origin().toString()),
            JsonText.quote(trace.packet().destination().toString()),
            JsonText.quote(trace.packet().protocol().label()),
            trace.packet().port(),
            JsonText.quote(trace.outcome().code()),
            trace.delivered(),
            trace.answered(),
            JsonText.quote(arrival(trace)),
            JsonText.quote(trace.carriage().name().toLowerCase(Locale.ROOT)),
            trace.pathMtu(),
            trace.sourceSeen().map(ip -> JsonText.quote(ip.toString())).orElse("null"),
            change.map(JsonText::quote).orElse("null"),
            json(trace.there()),
            json(trace.back()));
  }

  private static String json(List<Hop> hops) {
    return hops.stream()
        .map(hop ->
            "{\"machine\":%s,\"stage\":%s,\"carriage\":%s,\"device\":%s,\"mtu\":%d,\"rule\":%s,\"text\":%s}"
                .formatted(
                    JsonText.quote(hop.machine()),
                    JsonText.quote(hop.stage().name().toLowerCase(Locale.ROOT)),
                    JsonText.quote(hop.carriage().name().toLowerCase(Locale.ROOT)),
                    JsonText.quote(hop.device()),
                    hop.mtu(),
                    hop.rule().map(RuleId::toString).map(JsonText::quote).orElse("null"),
                    JsonText.quote(hop.text())))
        .collect(Collectors.joining(",", "[", "]"));
  }
}
