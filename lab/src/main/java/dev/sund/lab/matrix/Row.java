package dev.sund.lab.matrix;

import dev.sund.lab.question.Answer;
import dev.sund.lab.question.Answer.Reached;
import dev.sund.lab.question.Answer.Served;
import dev.sund.lab.question.Question;
import dev.sund.model.Ip;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Function;

/**
 * All that was asked about one sender, address and port.
 *
 * @param reach whether it answers
 * @param path which way, when asked
 * @param mtu how large, when asked
 */
record Row(Cell reach, Optional<Cell> path, Optional<Cell> mtu) {
  List<Cell> cells() {
    return java.util.stream.Stream.of(Optional.of(reach), path, mtu)
        .flatMap(Optional::stream)
        .toList();
  }

  Question question() {
    return reach.question();
  }

  boolean agrees() {
    return cells().stream().allMatch(Cell::agrees);
  }

  /** {@code reach yes=yes n1 >vxlan> n3 mtu 1430=1430 source 2001:db8:1::5}. */
  String findings() {
    if (reach.measured() instanceof Served) {
      return served();
    }
    StringBuilder text = new StringBuilder("reach ").append(pair(reach, Row::reach));
    path.filter(this::says)
        .ifPresent(cell -> text.append("  ").append(one(cell, Object::toString)));
    mtu.filter(this::says)
        .ifPresent(cell -> text.append("  mtu ").append(pair(cell, Object::toString)));
    boolean anySource =
        List.of(reach.wanted(), reach.inForce(), reach.measured()).stream()
            .anyMatch(answer -> source(answer).isPresent());
    if (anySource) {
      text.append("  source ").append(one(reach, Row::sourceText));
    }
    if (!arrives()) {
      text.append("  (").append(why(reach.inForce())).append("; ");
      text.append(why(reach.measured())).append(')');
    }
    return text.toString();
  }

  /** {@code 10.96.0.10 reach yes=yes shop/web sees 10.244.1.5}: what was met, if it may be. */
  private String served() {
    String text = question().destination() + " reach " + served(reach, true);
    return text + "  " + served(reach, false);
  }

  private static String served(Cell cell, boolean verdict) {
    String inForce = verdict ? reach(cell.inForce()) : cell.inForce().toString();
    String measured = verdict ? reach(cell.measured()) : cell.measured().toString();
    String both =
        cell.measuredAsInForce()
            ? (verdict ? measured + "=" + measured : inForce)
            : inForce + " != " + measured;
    String wanted = verdict ? reach(cell.wanted()) : cell.wanted().toString();
    return cell.drifts() && !wanted.equals(inForce) ? both + " (wanted " + wanted + ")" : both;
  }

  /**
   * Whether there is something to be said: the way and the size are asked by datagrams, which a
   * policy may close where it opens what else was asked.
   */
  private boolean says(Cell cell) {
    boolean found =
        switch (cell.measured()) {
          case Answer.Path(var steps) -> !steps.isEmpty();
          case Answer.Mtu(var bytes, var _) -> bytes > 0;
          case Reached _, Served _ -> true;
        };
    return (arrives() && found) || !cell.agrees();
  }

  private boolean arrives() {
    return reach.measured() instanceof Reached(var verdict, var _, var _)
        && verdict == Answer.Reach.YES;
  }

  /** In force and measured, both shown; wanted only where it is something else. */
  private static String pair(Cell cell, Function<Answer, String> say) {
    String inForce = say.apply(cell.inForce());
    String measured = say.apply(cell.measured());
    String between = inForce.equals(measured) ? "=" : "!=";
    return inForce + between + measured + wanted(cell, say);
  }

  /** What both say, shown once; both where they differ. */
  private static String one(Cell cell, Function<Answer, String> say) {
    String inForce = say.apply(cell.inForce());
    String measured = say.apply(cell.measured());
    String both = inForce.equals(measured) ? measured : inForce + " != " + measured;
    if (inForce.equals(measured) && !cell.measuredAsInForce()) {
      both = both + details(cell);
    }
    return both + wanted(cell, say);
  }

  private static String wanted(Cell cell, Function<Answer, String> say) {
    String wanted = say.apply(cell.wanted());
    return wanted.equals(say.apply(cell.inForce())) ? "" : " (wanted " + wanted + ")";
  }

  /** The outer headers, where two paths read alike and yet are not the same. */
  private static String details(Cell cell) {
    if (cell.inForce() instanceof Answer.Path(var expected)
        && cell.measured() instanceof Answer.Path(var found)
        && !Objects.equals(expected, found)) {
      return " (outer " + expected + " != " + found + ")";
    }
    return "";
  }

  private static String reach(Answer answer) {
    return switch (answer) {
      case Reached(var verdict, var _, var _) -> verdict.label();
      case Served served -> served.reach();
      case Answer.Path _, Answer.Mtu _ -> "?";
    };
  }

  private static Optional<Ip> source(Answer answer) {
    return answer instanceof Reached(var _, var ip, var _) ? ip : Optional.empty();
  }

  private static String sourceText(Answer answer) {
    return source(answer).map(Ip::toString).orElse("none");
  }

  private static String why(Answer answer) {
    return answer instanceof Reached(var _, var _, var text) ? text : "?";
  }
}
