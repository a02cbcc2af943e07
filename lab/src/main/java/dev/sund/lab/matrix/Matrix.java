package dev.sund.lab.matrix;

import dev.sund.lab.question.Answer;
import dev.sund.lab.question.Answer.Reached;
import dev.sund.lab.question.Party;
import dev.sund.lab.question.Question;
import dev.sund.lab.question.Question.Kind;
import dev.sund.model.Ip;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Wanted, in force and measured, side by side.
 *
 * @param cells in the order of the questions
 * @param drift what the nodes' kernels hold and the cluster does not want, or the other way round,
 *     one line each
 */
public record Matrix(List<Cell> cells, List<String> drift) {
  public Matrix {
    cells = List.copyOf(cells);
    drift = List.copyOf(drift);
  }

  /** A line and whether it tells of agreement only. */
  public record Line(String text, boolean agrees) {}

  private record Pair(Party from, Party to, Ip destination) {}

  private record ClassOf(
      String from, String to, String protocol, String family, String way, String findings) {}

  /** The pair to show of a class: one whose way was asked for, of one namespace, the first. */
  private static final Comparator<Row> TELLING =
      Comparator.<Row>comparingInt(row -> row.path().isPresent() ? 0 : 1)
          .thenComparingInt(row -> relatives(row.question()) ? 0 : 1)
          .thenComparingInt(row -> row.question().id());

  private static boolean relatives(Question question) {
    String from = question.from().group();
    String to = question.to().group();
    int slash = from.indexOf('/');
    return slash > 0 && !from.equals(to) && to.startsWith(from.substring(0, slash + 1));
  }

  /** How many questions were not answered alike by all three. */
  public int differing() {
    return (int) cells.stream().filter(cell -> !cell.agrees()).count();
  }

  /** Whether the matrix tells of agreement and the kernels hold what is wanted. */
  public boolean agrees() {
    return differing() == 0 && drift.isEmpty();
  }

  /** {@code N probes, N agree, 0 differ}. */
  public String summary() {
    int differ = differing();
    return cells.size() + " probes, " + (cells.size() - differ) + " agree, " + differ + " differ";
  }

  /**
   * The lines for people, without the summary.
   *
   * @param everyPair one line for every pair and port; else one for each class of pairs that fare
   *     alike, and one for every pair that does not agree
   */
  public List<Line> lines(boolean everyPair) {
    List<Line> lines = new ArrayList<>();
    if (everyPair) {
      for (Row row : rows()) {
        lines.add(line(row, row.question().from().label(), row.question().to().label(), 1));
      }
    } else {
      Map<ClassOf, List<Row>> classes = new LinkedHashMap<>();
      List<Row> rows = rows();
      Map<List<Object>, String> ways = new HashMap<>();
      rows.forEach(row -> way(row).ifPresent(way -> ways.putIfAbsent(between(row), way)));
      for (Row row : rows) {
        classes.computeIfAbsent(classOf(row, ways), _ -> new ArrayList<>()).add(row);
      }
      for (List<Row> alike : classes.values()) {
        Row shown = alike.stream().min(TELLING).orElseThrow();
        Question question = shown.question();
        lines.add(line(shown, question.from().group(), question.to().group(), alike.size()));
      }
    }
    for (String text : drift) {
      lines.add(new Line("drift: " + text, false));
    }
    return lines;
  }

  private static Line line(Row row, String from, String to, int pairs) {
    Question question = row.question();
    String text =
        from
            + " -> "
            + to
            + " "
            + question.port()
            + "/"
            + question.protocol().label()
            + " "
            + question.destination().family().label()
            + "  "
            + row.findings()
            + (pairs > 1 ? "  (" + pairs + " pairs)" : "")
            + (row.agrees() ? "" : "  DIFFERS");
    return new Line(text, row.agrees());
  }

  /** The reach questions, each with the path and the MTU of its pair. */
  List<Row> rows() {
    Map<Pair, Cell> paths = new LinkedHashMap<>();
    Map<Pair, Cell> sizes = new LinkedHashMap<>();
    for (Cell cell : cells) {
      Pair pair = pair(cell.question());
      switch (cell.question().kind()) {
        case PATH -> paths.put(pair, cell);
        case MTU -> sizes.put(pair, cell);
        case REACH, SERVICE -> {}
      }
    }
    List<Row> rows = new ArrayList<>();
    for (Cell cell : cells) {
      if (cell.question().kind() == Kind.REACH || cell.question().kind() == Kind.SERVICE) {
        Pair pair = pair(cell.question());
        rows.add(
            new Row(
                cell, Optional.ofNullable(paths.get(pair)), Optional.ofNullable(sizes.get(pair))));
      }
    }
    return rows;
  }

  private static Pair pair(Question question) {
    return new Pair(question.from(), question.to(), question.destination());
  }

  /** Pairs of one class fare alike; a pair that does not agree is a class of its own. */
  private static ClassOf classOf(Row row, Map<List<Object>, String> ways) {
    Question question = row.question();
    String protocol = question.protocol().label();
    String family = question.destination().family().label();
    if (!row.agrees()) {
      return new ClassOf(
          question.from().label(), question.to().label(), protocol, family, "", row.findings());
    }
    return new ClassOf(
        kind(question.from()),
        kind(question.to()),
        protocol,
        family,
        way(row).orElse(ways.getOrDefault(between(row), "")),
        reachShape(row));
  }

  /** Pods with their own network, hostNetwork pods, nodes, the host outside, nobody. */
  private static String kind(Party party) {
    boolean pod = party.group().indexOf('/') > 0;
    return party.origin().getClass().getSimpleName() + (pod ? "" : " " + party.group());
  }

  private static String reachShape(Row row) {
    if (row.reach().measured() instanceof Answer.Served) {
      return row.question().to().label() + " " + row.question().port() + row.findings();
    }
    return row.reach().measured() instanceof Reached(var verdict, var source, var _)
        ? verdict.label() + source.isPresent()
        : "";
  }

  /** How a row's packets travel, without names and addresses; known when its way was asked for. */
  private static Optional<String> way(Row row) {
    return row.path()
        .map(cell -> {
          StringBuilder shape = new StringBuilder();
          if (cell.measured() instanceof Answer.Path(var steps)) {
            steps.forEach(step -> shape.append(step.carriage().wrapped() ? "~>" : ">"));
          }
          row.mtu().ifPresent(mtu -> shape.append(' ').append(mtu.measured()));
          return shape.toString();
        });
  }

  /** Between which machines, and whether from and to pods: all rows alike in it travel alike. */
  private static List<Object> between(Row row) {
    Question question = row.question();
    return List.of(
        question.from().origin().getClass(),
        question.from().machine(),
        question.to().origin().getClass(),
        question.to().machine(),
        question.destination().family());
  }
}
