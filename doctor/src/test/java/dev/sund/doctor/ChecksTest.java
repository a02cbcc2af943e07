package dev.sund.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Each check four times: with its fault, mended, unreadable, and beside what only looks like it.
 */
class ChecksTest {
  private static final String CONNTRACK = "proc/sys/net/netfilter/nf_conntrack_";

  @TempDir Path root;

  static Stream<CheckCase> cases() {
    return Stream.of(
            FileCases.all(),
            WindowCases.all(),
            ProxyCases.all(),
            CniCases.all(),
            PodCases.all(),
            SysctlCases.all(),
            ClusterCases.all(),
            InsideCases.all(),
            DeviceCases.all(),
            PeerCases.all())
        .flatMap(all -> all);
  }

  @ParameterizedTest
  @MethodSource("cases")
  void findsItsFault(CheckCase one) {
    Result result = look(one.fault().apply(new RecordedNode(root)), one);
    assertThat(result.findings()).as("%s", result.outcome()).isNotEmpty();
    Finding worst = result.findings().getFirst();
    assertThat(worst.severity()).isEqualTo(one.severity());
    assertThat(worst.object() + " " + worst.text()).contains(one.finds());
    assertThat(worst.why()).isNotBlank();
    assertThat(worst.remedy()).isNotBlank();
    assertThat(result.sources()).isNotEmpty();
  }

  @ParameterizedTest
  @MethodSource("cases")
  void isContentOnceItIsMended(CheckCase one) {
    Result result = look(one.mended().apply(one.fault().apply(new RecordedNode(root))), one);
    assertThat(result.findings()).isEmpty();
    assertThat(result.outcome()).isInstanceOf(Result.Judged.class);
  }

  @ParameterizedTest
  @MethodSource("cases")
  void neverPassesWhatItCannotRead(CheckCase one) {
    Result result = look(new RecordedNode(root).unreadable(one.needs()), one);
    assertThat(result.outcome()).isInstanceOf(Result.Unread.class);
    Result.Unread unread = (Result.Unread) result.outcome();
    assertThat(unread.why()).contains(one.needs());
    assertThat(unread.remedy()).endsWith(".");
  }

  @ParameterizedTest
  @MethodSource("cases")
  void leavesAHealthyNeighbourAlone(CheckCase one) {
    Result result = look(one.neighbour().apply(new RecordedNode(root)), one);
    assertThat(result.findings()).isEmpty();
    assertThat(result.outcome()).isInstanceOf(Result.Judged.class);
  }

  private static Result look(RecordedNode node, CheckCase one) {
    try {
      List<Check<?>> checks = List.of(Catalogue.named(one.id()).orElseThrow());
      return Examination.of(node.host(), checks).results().getFirst();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void everyCheckHasItsCasesAndItsPage() {
    List<String> ids = Catalogue.all().stream().<String>map(Check::id).toList();
    assertThat(cases().map(CheckCase::id)).containsExactlyInAnyOrderElementsOf(ids);
    Path pages = Path.of(System.getProperty("sund.root", "..")).resolve("docs/doctor");
    assertThat(ids).allSatisfy(id -> assertThat(pages.resolve(id + ".md")).exists());
    assertThat(ids)
        .allSatisfy(
            id -> assertThat(Files.readString(pages.resolve("README.md"))).contains(id + ".md"));
  }

  /** What people write that goes wrong leads to checks that are there. */
  @Test
  void everySymptomsPageIsThatOfACheck() throws Exception {
    Path pages = Path.of(System.getProperty("sund.root", "..")).resolve("docs/doctor");
    List<String> ids = Catalogue.all().stream().<String>map(Check::id).toList();
    List<String> named =
        Pattern.compile("\\[([a-z0-9-]+)]\\(([a-z0-9-]+)\\.md\\)")
            .matcher(Files.readString(pages.resolve("symptoms.md")))
            .results()
            .map(link -> link.group(1).equals(link.group(2)) ? link.group(1) : link.group())
            .toList();
    assertThat(named).hasSizeGreaterThan(40).isSubsetOf(ids);
  }

  @Test
  void aHealthyNodeHasNoFindingsAndEveryCheckWasRead() throws Exception {
    Examination found = Examination.of(new RecordedNode(root).host(), Catalogue.all());
    assertThat(found.findings()).isEmpty();
    assertThat(found.unread()).isEmpty();
    assertThat(found.results()).hasSameSizeAs(Catalogue.all());
    assertThat(found.results()).allSatisfy(result -> assertThat(result.sources()).isNotEmpty());
  }

  @Test
  void theWorstComesFirst() throws Exception {
    RecordedNode node =
        new RecordedNode(root)
            .with(CONNTRACK + "max", "65536")
            .with("sys/class/net/veth12ab/mtu", "1500")
            .with("proc/sys/net/ipv4/ip_forward", "0");
    Examination found = Examination.of(node.host(), Catalogue.all());
    assertThat(found.findings().stream().map(one -> one.check().id()).toList())
        .containsExactly("forwarding-off", "pod-mtu", "sysctl-files", "conntrack-size");
    assertThat(found.worst()).contains(Severity.ERROR);
  }
}
