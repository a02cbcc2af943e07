package dev.sund.lab.offline;

import dev.sund.agent.local.Json;
import dev.sund.agent.local.RecordJson;
import dev.sund.agent.trace.Expectation.Part;
import dev.sund.dataplane.probe.ProbeFinding;
import dev.sund.dataplane.probe.ProbeFlow;
import dev.sund.engine.trace.Trace;
import dev.sund.engine.trace.Trace.Hop;
import dev.sund.lab.offline.LiveProbe.Story;
import dev.sund.model.NodeName;
import dev.sund.model.RuleId;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;

/** Traces as JSON for programs. */
public final class TraceJson {
  private TraceJson() {}

  /**
   * Traces, and what became of real packets.
   *
   * @param change what would open a way that policies close, as YAML
   * @param stories the real packets; none without {@code --live}
   * @param command what shows on another node what this one does not see
   * @param assumptions what was assumed, a sentence each
   */
  public static String of(
      List<Trace> traces,
      Function<Trace, Optional<String>> change,
      List<Story> stories,
      Function<NodeName, String> command,
      List<String> assumptions) {
    return "{\"traces\":["
        + traces.stream()
            .map(trace -> json(trace, change.apply(trace)))
            .collect(Collectors.joining(","))
        + "],\"probes\":["
        + stories.stream().map(story -> json(story, command)).collect(Collectors.joining(","))
        + "],\"assumed\":"
        + Json.write(assumptions)
        + "}";
  }

  private static String json(Trace trace, Optional<String> change) {
    return "{\"from\":%s,\"to\":%s,\"protocol\":%s,\"port\":%d,\"outcome\":%s,\"delivered\":%s,\"answered\":%s,\"verdict\":%s,\"arrival\":%s,\"carriage\":%s,\"mtu\":%d,\"source\":%s,\"change\":%s,\"there\":%s,\"back\":%s}"
        .formatted(
            quote(trace.packet().origin().toString()),
            quote(trace.packet().destination().toString()),
            quote(trace.packet().protocol().label()),
            trace.packet().port(),
            quote(trace.outcome().code()),
            trace.delivered(),
            trace.answered(),
            quote(TraceText.reason(trace).code()),
            quote(TraceText.arrival(trace)),
            quote(trace.carriage().name().toLowerCase(Locale.ROOT)),
            trace.pathMtu(),
            trace.sourceSeen().map(ip -> quote(ip.toString())).orElse("null"),
            change.map(TraceJson::quote).orElse("null"),
            json(trace.there()),
            json(trace.back()));
  }

  /** A packet that came by a node: what that node did to it, beside what the program says. */
  public static Object observed(Part part, List<String> differences, boolean between) {
    Map<String, Object> fields = fields(part.finding());
    fields.put("node", part.node().text());
    judged(fields, differences, between);
    return fields;
  }

  /** The sender's node's part, with the further nodes' beside it. */
  private static String json(Story story, Function<NodeName, String> command) {
    Map<String, Object> fields = fields(story.parts().getFirst().finding());
    fields.put("node", story.parts().getFirst().node().text());
    List<Object> further = new ArrayList<>();
    for (Part part : story.parts().subList(1, story.parts().size())) {
      Map<String, Object> seen = fields(part.finding());
      seen.put("node", part.node().text());
      further.add(seen);
    }
    fields.put("further", further);
    List<Object> unseen = new ArrayList<>();
    for (NodeName node : story.unseen()) {
      unseen.add(Map.of("node", node.text(), "command", command.apply(node)));
    }
    fields.put("unseen", unseen);
    judged(fields, story.differences(), story.between());
    return Json.write(fields);
  }

  private static void judged(
      Map<String, Object> fields, List<String> differences, boolean between) {
    fields.put("agrees", differences.isEmpty());
    fields.put("between", between && !differences.isEmpty());
    fields.put("differences", differences);
  }

  private static Map<String, Object> fields(ProbeFinding finding) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("packet", RecordJson.write(finding.flow(), ProbeFlow.class));
    fields.put("answer", finding.answer().text());
    fields.put("end", RecordJson.write(finding.end(), ProbeFinding.End.class));
    fields.put("there", finding.there().stream().map(TraceJson::fields).toList());
    fields.put("back", finding.back().stream().map(TraceJson::fields).toList());
    return fields;
  }

  private static Object fields(ProbeFinding.Step step) {
    return RecordJson.write(step, ProbeFinding.Step.class);
  }

  private static String json(List<Hop> hops) {
    return hops.stream()
        .map(hop ->
            "{\"machine\":%s,\"stage\":%s,\"carriage\":%s,\"device\":%s,\"mtu\":%d,\"rule\":%s,\"text\":%s}"
                .formatted(
                    quote(hop.machine()),
                    quote(hop.stage().name().toLowerCase(Locale.ROOT)),
                    quote(hop.carriage().name().toLowerCase(Locale.ROOT)),
                    quote(hop.device()),
                    hop.mtu(),
                    hop.rule().map(RuleId::toString).map(TraceJson::quote).orElse("null"),
                    quote(hop.text())))
        .collect(Collectors.joining(",", "[", "]"));
  }

  private static String quote(String text) {
    return Json.write(text);
  }
}
