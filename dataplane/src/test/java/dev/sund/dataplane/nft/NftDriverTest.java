package dev.sund.dataplane.nft;

import static dev.sund.dataplane.nft.Rows.cluster;
import static dev.sund.dataplane.nft.Rows.nat;
import static dev.sund.dataplane.nft.Rows.put;
import static dev.sund.dataplane.nft.Rows.remove;
import static dev.sund.dataplane.nft.Rows.table;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sund.dataplane.ApplyReport;
import dev.sund.dataplane.Driver.Step;
import dev.sund.dataplane.FailPoint;
import dev.sund.engine.program.Masquerade;
import dev.sund.kernel.Errno;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.nft.NftChain;
import dev.sund.kernel.nft.NftElement;
import dev.sund.kernel.nft.NftFamily;
import dev.sund.kernel.nft.NftOp;
import dev.sund.kernel.nft.NftTable;
import dev.sund.model.Condition;
import dev.sund.model.Prefix;
import dev.sund.model.Reason;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;

class NftDriverTest {
  private static final long SEED = Long.getLong("sund.seed", 20260105);
  private static final Masquerade A = cluster("10.1.0.0/16", "a");
  private static final Masquerade B = cluster("10.2.0.0/16", "b");
  private static final Masquerade C = nat("10.1.0.0/16", "a");

  private final FakeNft kernel = new FakeNft();
  private final List<String> deaths = new ArrayList<>();
  private NftDriver driver = new NftDriver(kernel, FailPoint.NONE);

  @Test
  void nothingIsWrittenBeforeTheKernelWasRead() {
    driver.want(put(A));

    assertThat(driver.pending()).isZero();
    assertThat(apply().done()).isEmpty();
    assertThat(kernel.committed).isEmpty();
  }

  @Test
  void firstCycleMakesTheTableInOneTransaction() throws Exception {
    inForce(A, B, C);

    assertThat(kernel.committed).hasSize(1);
    assertThat(driver.lift()).isEqualTo(table(List.of(A, B, C)));
    assertThat(driver.pending()).isZero();
    assertThat(driver.counts())
        .isEqualTo(new NftDriver.Counts(3, 1, driver.counts().messages(), 0, 1));
  }

  @Test
  void whatNobodyElseHasChangedIsNotReadAgain() throws Exception {
    inForce(A, B);
    driver.want(put(C));
    apply();
    int before = kernel.contentsRead;
    driver.glance();
    assertThat(kernel.contentsRead).isEqualTo(before);

    kernel.meddle(elements(A, false));
    assertThat(driver.glance().conditions())
        .extracting(Condition::reason)
        .containsExactly(Reason.DRIFT_MISSING);
    assertThat(driver.pending()).isOne();
    apply();
    assertThat(driver.lift()).isEqualTo(table(List.of(A, B, C)));

    int after = kernel.contentsRead;
    driver.glance();
    assertThat(kernel.contentsRead).isEqualTo(after);
    driver.resync();
    assertThat(kernel.contentsRead).as("who asks for it gets it").isEqualTo(after + 1);
  }

  @Test
  void whatAnotherDriverOfTheAgentCommitsIsNobodyElses() throws Exception {
    OwnCommits commits = new OwnCommits();
    driver = new NftDriver(kernel, FailPoint.NONE, commits);
    inForce(A, B);
    int before = kernel.contentsRead;
    kernel.meddle(); // of another table
    commits.add();
    driver.glance();
    assertThat(kernel.contentsRead).isEqualTo(before);

    kernel.meddle();
    driver.glance();
    assertThat(kernel.contentsRead).isEqualTo(before + 1);
  }

  @Test
  void changeOfARowIsItsElementAlone() throws Exception {
    inForce(A, B, C);
    kernel.committed.clear();
    driver.want(put(cluster("10.2.0.0/16", "renamed")));
    ApplyReport report = apply();

    assertThat(kernel.committed).hasSize(1);
    assertThat(report.done())
        .extracting(Object::toString)
        .containsExactly(
            "delete 2 elements of set inet sund cluster-v4: 0x0a020000 end 0x0a030000",
            "add 2 elements to set inet sund cluster-v4: 0x0a020000 end 0x0a030000");
    assertThat(report.messages()).isEqualTo(4);
  }

  @Test
  void backlogIsCutIntoPiecesAndDestinationsComeFirst() throws Exception {
    inForce();
    kernel.committed.clear();
    driver.want(put(C, A, B));

    assertThat(driver.apply(Step.PUT, 2).deferred()).isEqualTo(1);
    assertThat(driver.lift()).isEqualTo(table(List.of(A, B)));
    assertThat(driver.apply(Step.PUT, 2).deferred()).isZero();
    assertThat(kernel.committed).hasSize(2);
    driver.want(remove(A, B, C));
    driver.apply(Step.REMOVE, 1);
    assertThat(driver.lift()).isEqualTo(table(List.of(A, B)));
  }

  @Test
  void refusedElementIsHeldAndTheOthersGoOn() throws Exception {
    inForce();
    kernel.refuse = addOf("10.2.0.0/16");
    driver.want(put(A, B, C));
    ApplyReport report = apply();

    assertThat(driver.lift()).isEqualTo(table(List.of(A, C)));
    assertThat(report.failed()).hasSize(1);
    assertThat(report.conditions())
        .extracting(Condition::toString)
        .containsExactly(
            "nft element inet sund cluster-v4 10.2.0.0/16: add 2 elements to set inet sund"
                + " cluster-v4: 0x0a020000 end 0x0a030000: Refused (EINVAL, kernel: \"Invalid"
                + " argument\"). It is tried again; what is there stays in force until then."
                + " [kernel-refused]");
    assertThat(driver.pending()).isZero();

    driver.want(put(nat("10.9.0.0/16", "other")));
    assertThat(apply().conditions()).as("what is still refused is still told").hasSize(1);
    kernel.refuse = _ -> false;
    driver.retry();
    assertThat(apply().conditions()).isEmpty();
    assertThat(driver.verify()).isEmpty();
  }

  @Test
  void refusedTableIsHeldUntilRetried() throws Exception {
    driver.resync();
    kernel.refuse = op -> op instanceof NftOp.CreateChain;
    kernel.refusal = Errno.EOPNOTSUPP;
    driver.want(put(A));
    ApplyReport report = apply();

    assertThat(report.conditions())
        .extracting(Condition::reason)
        .containsExactly(Reason.KERNEL_FEATURE_MISSING);
    assertThat(driver.pending()).isZero();
    kernel.refuse = _ -> false;
    driver.retry();
    assertThat(apply().complete()).isTrue();
    assertThat(driver.verify()).isEmpty();
  }

  @Test
  void elementThatIsRefusedWithTheTableIsHeldAlone() throws Exception {
    driver.resync();
    kernel.refuse = addOf("10.1.0.0/16");
    driver.want(put(A, B));
    ApplyReport report = apply();

    assertThat(report.failed())
        .extracting(failure -> failure.object().toString())
        .containsExactly("nft element inet sund cluster-v4 10.1.0.0/16");
    assertThat(driver.lift()).isEqualTo(table(List.of(B)));
    assertThat(driver.pending()).isZero();
  }

  @Test
  void lackOfRightsIsOneCondition() throws Exception {
    inForce(A);
    driver.want(put(B));
    kernel.refuseCommit = Optional.of(Errno.EPERM);

    ApplyReport report = apply();

    assertThat(report.conditions())
        .extracting(Condition::reason)
        .containsExactly(Reason.CAPABILITY_MISSING);
    assertThat(report.complete()).isFalse();
    kernel.refuseCommit = Optional.empty();
    assertThat(apply().complete()).isTrue();
    assertThat(driver.verify()).isEmpty();
  }

  @Test
  void lostAnswerIsAConditionAndTheKernelIsReadAgain() throws Exception {
    driver.resync();
    driver.want(put(A));
    kernel.failCommit = Optional.of(Errno.ENOBUFS);

    assertThat(apply().complete()).isFalse();
    kernel.failCommit = Optional.empty();
    assertThat(apply().complete()).isTrue();
    assertThat(driver.verify()).isEmpty();
  }

  @Test
  void kernelWithoutMasqueradeIsToldWhatItLacks() throws Exception {
    driver.resync();
    kernel.refuse = op -> op instanceof NftOp.AppendRule;
    kernel.refusal = Errno.ENOENT;
    driver.want(put(A));

    assertThat(apply().conditions())
        .singleElement()
        .satisfies(condition -> {
          assertThat(condition.reason()).isEqualTo(Reason.KERNEL_FEATURE_MISSING);
          assertThat(condition.remedy())
              .isEqualTo(
                  "Load the module (modprobe -a nft_nat nft_masq), or run Linux 5.2 or later with"
                      + " CONFIG_NF_TABLES_INET, CONFIG_NFT_NAT and CONFIG_NFT_MASQ.");
        });
  }

  @Test
  void kernelThatCannotBeReadLeavesWhatWasKnown() throws Exception {
    inForce(A);
    kernel.failContents = Optional.of(Errno.ENOBUFS);

    assertThatThrownBy(() -> driver.resync()).isInstanceOf(KernelException.NoSpace.class);
    assertThatThrownBy(() -> driver.lift()).isInstanceOf(KernelException.NoSpace.class);
    kernel.failContents = Optional.empty();
    assertThat(driver.resync().conditions()).isEmpty();
    assertThat(driver.pending()).isZero();
  }

  @Test
  void whatSomeoneRemovedMeanwhileIsReadAgainAndDone() throws Exception {
    inForce(A, B);
    kernel.meanwhile = () -> kernel.meddle(elements(B, false));
    driver.want(remove(B));
    driver.want(put(C));

    assertThat(apply().failed()).isEmpty();
    assertThat(driver.lift()).isEqualTo(table(List.of(A, C)));
    assertThat(driver.verify()).isEmpty();
  }

  @Test
  void whatSomeoneAddedMeanwhileIsReplaced() throws Exception {
    inForce(A);
    kernel.meanwhile = () -> kernel.meddle(elements(cluster("10.2.0.0/17", "mine"), true));
    driver.want(put(B));

    assertThat(apply().failed()).isEmpty();
    assertThat(driver.verify()).isEmpty();
  }

  @Test
  void tableMadeBySomeoneElseMeanwhileIsForeign() throws Exception {
    driver.resync();
    driver.want(put(A));
    kernel.meanwhile =
        () -> kernel.meddle(new NftOp.CreateTable(NftTable.of(NftFamily.INET, "sund", "theirs")));

    ApplyReport report = apply();

    assertThat(report.conditions())
        .extracting(Condition::reason)
        .containsExactly(Reason.FOREIGN_OBJECT);
    assertThat(kernel.committed).isEmpty();
  }

  @Test
  void rebuildWaitsForAQuietGeneration() throws Exception {
    inForce(A);
    kernel.meddle(new NftOp.CreateChain(NftChain.regular(MasqueradeLowering.TABLE, "mine")));
    kernel.stale = 3;
    assertThat(driver.resync().conditions())
        .extracting(Condition::reason)
        .containsExactly(Reason.STRAY_OBJECT);

    assertThat(apply().complete()).isTrue();
    assertThat(driver.verify()).isEmpty();
    assertThat(kernel.stale).isZero();
  }

  @Test
  void restartedAgentRemovesNothingBeforeTheFirstFullList() throws Exception {
    inForce(A, B);
    driver = new NftDriver(kernel, FailPoint.NONE);
    kernel.committed.clear();
    driver.resync();
    driver.want(put(A));
    assertThat(driver.pending()).isZero();

    // Even when the table must be made anew.
    kernel.meddle(new NftOp.CreateChain(NftChain.regular(MasqueradeLowering.TABLE, "mine")));
    driver.resync();
    apply();
    assertThat(kernel.committed).hasSize(1);
    assertThat(MasqueradeLift.rows(kernel.contents(), Map.of())).isEqualTo(table(List.of(A, B)));

    driver.allowSweep();
    apply();
    assertThat(MasqueradeLift.rows(kernel.contents(), Map.of())).isEqualTo(table(List.of(A)));
    assertThat(driver.verify()).isEmpty();
  }

  @Test
  void dyingAfterATransactionLeavesAllOfIt() throws Exception {
    driver =
        new NftDriver(kernel, FailPoint.parse(NftDriver.NAME + ":2", () -> deaths.add("died")));
    inForce(A);
    assertThat(deaths).isEmpty();
    driver.want(put(B, C));
    apply();

    assertThat(deaths).containsExactly("died");
    assertThat(MasqueradeLift.rows(kernel.contents(), Map.of())).isEqualTo(table(List.of(A, B, C)));
  }

  @Test
  void afterAnyChangesAndMeddlingOneCycleMakesItRight() throws Exception {
    RandomRows random = new RandomRows(SEED);
    SortedMap<Masquerade.Key, Masquerade> rows = new TreeMap<>();
    driver.resync();
    driver.allowSweep();
    for (int i = 0; i < 600; i++) {
      if (rows.isEmpty() || random.below(3) > 0) {
        Masquerade row = random.row();
        rows.put(row.key(), row);
        driver.want(put(row));
      } else {
        Masquerade gone =
            rows.values().stream().skip(random.below(rows.size())).findFirst().orElseThrow();
        rows.remove(gone.key());
        driver.want(remove(gone));
      }
      if (random.below(8) == 0 && kernel.contents().isPresent()) {
        kernel.meddle(
            new NftOp.DeleteTable(
                MasqueradeLowering.TABLE.family(), MasqueradeLowering.TABLE.name()));
        driver.resync();
      }
      if (random.below(3) == 0) {
        while (driver.pending() > 0) {
          ApplyReport report = driver.apply(Step.PUT, 3).plus(driver.apply(Step.REMOVE, 3));
          assertThat(report.failed()).as("seed %d, step %d", SEED, i).isEmpty();
        }
        assertThat(driver.verify()).as("seed %d, step %d", SEED, i).isEmpty();
        assertThat(driver.lift()).isEqualTo(rows);
      }
      if (rows.size() > 40) {
        driver.want(remove(rows.values().toArray(Masquerade[]::new)));
        rows.clear();
      }
    }
  }

  @Test
  void closingClosesTheSocketAndLeavesTheTable() throws Exception {
    inForce(A);
    driver.close();

    assertThat(kernel.closed).isTrue();
    assertThat(kernel.contents()).isPresent();
  }

  private void inForce(Masquerade... rows) throws Exception {
    driver.resync();
    driver.want(put(rows));
    driver.allowSweep();
    assertThat(apply().complete()).isTrue();
  }

  private ApplyReport apply() {
    return driver.apply(Step.PUT, 1000).plus(driver.apply(Step.REMOVE, 1000));
  }

  private static Predicate<NftOp> addOf(String range) {
    NftElement start = NftElement.range(Prefix.parse(range), "").getFirst();
    return op ->
        op instanceof NftOp.AddElements add
            && add.elements().stream()
                .anyMatch(element -> !element.intervalEnd() && element.key().equals(start.key()));
  }

  private static NftOp elements(Masquerade row, boolean add) {
    RangeKey key = MasqueradeLowering.key(row);
    List<NftElement> range =
        TableImage.elements(key, Entry.of(MasqueradeLowering.comment(row.rule())));
    return add
        ? new NftOp.AddElements(MasqueradeLowering.TABLE.family(), "sund", key.set(), range, true)
        : new NftOp.DeleteElements(MasqueradeLowering.TABLE.family(), "sund", key.set(), range);
  }
}
