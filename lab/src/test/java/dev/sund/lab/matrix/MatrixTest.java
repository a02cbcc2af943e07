package dev.sund.lab.matrix;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.engine.trace.Packet.FromPod;
import dev.sund.engine.trace.Trace.Carriage;
import dev.sund.engine.trace.Trace.Outer;
import dev.sund.engine.trace.Trace.Step;
import dev.sund.lab.question.Answer;
import dev.sund.lab.question.Answer.Larger;
import dev.sund.lab.question.Answer.Mtu;
import dev.sund.lab.question.Answer.Path;
import dev.sund.lab.question.Answer.Reach;
import dev.sund.lab.question.Answer.Reached;
import dev.sund.lab.question.Party;
import dev.sund.lab.question.Question;
import dev.sund.lab.question.Question.Kind;
import dev.sund.model.Ip;
import dev.sund.model.PodKey;
import dev.sund.model.Protocol;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Lines of the matrix, word for word. */
class MatrixTest {
  private static final Ip DESTINATION = Ip.parse("2001:db8:3::7");
  private static final Reached YES = reached("2001:db8:1::5");
  private static final Path WRAPPED = path(Carriage.VXLAN);
  private static final Path PLAIN = path(Carriage.DIRECT);
  private static final Mtu MTU = new Mtu(1430, Larger.TOLD);

  private final List<Cell> cells = new ArrayList<>();

  @Test
  void pairThatAgreesIsOneLine() {
    pair("web-1", YES, YES, YES, WRAPPED, WRAPPED, MTU, MTU);

    assertThat(lines(false))
        .containsExactly(
            "shop/web -> shop/db 5432/tcp v6  reach yes=yes  n1 >vxlan> n3  mtu 1430=1430"
                + "  source 2001:db8:1::5");
    assertThat(matrix().summary()).isEqualTo("3 probes, 3 agree, 0 differ");
    assertThat(matrix().agrees()).isTrue();
  }

  @Test
  void pairsThatFareAlikeAreOneClassAndAllShowsThemAll() {
    pair("web-1", YES, YES, YES, WRAPPED, WRAPPED, MTU, MTU);
    pair("web-2", YES, YES, YES, WRAPPED, WRAPPED, MTU, MTU);

    assertThat(lines(false)).singleElement().asString().endsWith("  (2 pairs)");
    assertThat(lines(true))
        .hasSize(2)
        .allMatch(line -> line.matches("shop/web-[12] -> shop/db-0 5432/tcp v6  reach .*"));
  }

  @Test
  void measurementThatContradictsTheKernelsRulesShowsBoth() {
    Reached no = new Reached(Reach.NO, Optional.empty(), "silence");
    pair("web-1", YES, YES, no, WRAPPED, PLAIN, MTU, new Mtu(1300, Larger.SILENT));

    assertThat(lines(false))
        .containsExactly(
            "shop/web -> shop/db 5432/tcp v6"
                + "  reach yes!=no  n1 >vxlan> n3 != n1 > n3  mtu 1430!=1300(silent)"
                + "  source 2001:db8:1::5 != none  (delivered; silence)  DIFFERS");
    assertThat(matrix().summary()).isEqualTo("3 probes, 0 agree, 3 differ");
  }

  @Test
  void driftIsNamedBesideWhatIsInForceAndMeasured() {
    Reached masqueraded = reached("192.168.11.11");
    pair("web-1", YES, masqueraded, masqueraded, WRAPPED, WRAPPED, MTU, MTU);

    assertThat(lines(false))
        .containsExactly(
            "shop/web -> shop/db 5432/tcp v6  reach yes=yes  n1 >vxlan> n3  mtu 1430=1430"
                + "  source 192.168.11.11 (wanted 2001:db8:1::5)  DIFFERS");
  }

  @Test
  void outerHeaderThatDiffersIsShownThoughThePathReadsAlike() {
    Path other =
        new Path(
            List.of(
                new Step(
                    "n1",
                    Carriage.VXLAN,
                    Optional.of(
                        new Outer(Ip.parse("fd00:a::11"), Ip.parse("fd00:b::13"), 77, 4789))),
                new Step("n3", Carriage.LOCAL, Optional.empty())));
    pair("web-1", YES, YES, YES, WRAPPED, other, MTU, MTU);

    assertThat(lines(false)).singleElement().asString().contains("vni=77").endsWith("DIFFERS");
  }

  private void pair(
      String pod,
      Answer wanted,
      Answer inForce,
      Answer measured,
      Path expectedPath,
      Path measuredPath,
      Mtu expectedMtu,
      Mtu measuredMtu) {
    cells.add(new Cell(question(pod, Kind.REACH), wanted, inForce, measured));
    cells.add(new Cell(question(pod, Kind.PATH), expectedPath, expectedPath, measuredPath));
    cells.add(new Cell(question(pod, Kind.MTU), expectedMtu, expectedMtu, measuredMtu));
  }

  private Question question(String pod, Kind kind) {
    return new Question(
        cells.size(),
        kind,
        new Party("shop/" + pod, "shop/web", new FromPod(new PodKey("shop", pod)), "n1"),
        new Party("shop/db-0", "shop/db", new FromPod(new PodKey("shop", "db-0")), "n3"),
        DESTINATION,
        kind == Kind.REACH ? Protocol.TCP : Protocol.UDP,
        kind == Kind.REACH ? 5432 : 7,
        List.of());
  }

  private static Reached reached(String source) {
    return new Reached(Reach.YES, Optional.of(Ip.parse(source)), "delivered");
  }

  private static Path path(Carriage carriage) {
    Optional<Outer> outer =
        carriage == Carriage.VXLAN
            ? Optional.of(new Outer(Ip.parse("fd00:a::11"), Ip.parse("fd00:b::13"), 4096, 4789))
            : Optional.empty();
    return new Path(
        List.of(new Step("n1", carriage, outer), new Step("n3", Carriage.LOCAL, Optional.empty())));
  }

  private Matrix matrix() {
    return new Matrix(cells, List.of());
  }

  private List<String> lines(boolean everyPair) {
    return matrix().lines(everyPair).stream().map(Matrix.Line::text).toList();
  }
}
