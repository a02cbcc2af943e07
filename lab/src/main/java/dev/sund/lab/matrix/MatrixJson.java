package dev.sund.lab.matrix;

import dev.sund.engine.trace.Trace.Carriage;
import dev.sund.engine.trace.Trace.Step;
import dev.sund.lab.question.Answer;
import dev.sund.lab.question.Answer.Mtu;
import dev.sund.lab.question.Answer.Path;
import dev.sund.lab.question.Answer.Reached;
import dev.sund.lab.question.Answer.Served;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A matrix as maps, lists, texts, numbers and booleans, for {@code -o json}. */
public final class MatrixJson {
  private MatrixJson() {}

  /** One object: every probe with its three answers, drift, and the counts. */
  public static Map<String, Object> of(Matrix matrix) {
    List<Object> probes = new ArrayList<>();
    for (Cell cell : matrix.cells()) {
      Map<String, Object> probe = new LinkedHashMap<>();
      probe.put("kind", cell.question().kind().name().toLowerCase(java.util.Locale.ROOT));
      probe.put("from", cell.question().from().label());
      probe.put("fromMachine", cell.question().from().machine());
      probe.put("to", cell.question().to().label());
      probe.put("toMachine", cell.question().to().machine());
      probe.put("destination", cell.question().destination().toString());
      probe.put("protocol", cell.question().protocol().label());
      probe.put("port", cell.question().port());
      probe.put("wanted", answer(cell.wanted()));
      probe.put("inForce", answer(cell.inForce()));
      probe.put("measured", answer(cell.measured()));
      probe.put("agrees", cell.agrees());
      probes.add(probe);
    }
    Map<String, Object> result = new LinkedHashMap<>();
    result.put("probes", probes);
    result.put("drift", matrix.drift());
    result.put("total", matrix.cells().size());
    result.put("agree", matrix.cells().size() - matrix.differing());
    result.put("differ", matrix.differing());
    return result;
  }

  private static Map<String, Object> answer(Answer answer) {
    Map<String, Object> out = new LinkedHashMap<>();
    switch (answer) {
      case Reached(var reach, var source, var why) -> {
        out.put("reach", reach.label());
        source.ifPresent(ip -> out.put("source", ip.toString()));
        out.put("why", why);
      }
      case Served served -> {
        out.put("reach", served.reach());
        out.put("ways", served.ways().stream().map(Answer.Way::toString).toList());
      }
      case Path(var steps) -> {
        out.put("text", answer.toString());
        List<Object> list = new ArrayList<>();
        steps.forEach(step -> list.add(step(step)));
        out.put("steps", list);
      }
      case Mtu(var bytes, var larger) -> {
        out.put("bytes", bytes);
        out.put("larger", larger.label());
      }
    }
    return out;
  }

  private static Map<String, Object> step(Step step) {
    Map<String, Object> out = new LinkedHashMap<>();
    out.put("machine", step.machine());
    out.put("carriage", step.carriage().name().toLowerCase(java.util.Locale.ROOT));
    step.outer()
        .ifPresent(outer -> {
          out.put("outerSource", outer.source().toString());
          out.put("outerDestination", outer.destination().toString());
          if (outer.carriage() == Carriage.VXLAN) {
            out.put("vni", outer.vni());
            out.put("port", outer.port());
          }
        });
    return out;
  }
}
