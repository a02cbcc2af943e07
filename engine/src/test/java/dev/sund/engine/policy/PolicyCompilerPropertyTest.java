package dev.sund.engine.policy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.engine.Property;
import dev.sund.engine.policy.RandomPolicies.Event;
import dev.sund.engine.program.Change;
import dev.sund.engine.program.PolicyDelta;
import dev.sund.engine.program.PolicyTables;
import dev.sund.model.Ip;
import dev.sund.model.Protocol;
import dev.sund.model.RuleId.Direction;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.SortedMap;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** What is true of all clusters and all histories. */
class PolicyCompilerPropertyTest {
  private static final int EVENTS = 60;
  private static final List<Protocol> PROTOCOLS =
      List.of(Protocol.TCP, Protocol.UDP, Protocol.SCTP, Protocol.ICMP);

  /** A history, and the chance by which a test divides it. */
  record History(List<Event> events, long seed) {
    List<History> smaller() {
      List<History> all = new ArrayList<>();
      for (int size = events.size() / 2; size > 0; size /= 2) {
        for (int from = 0; from + size <= events.size(); from += size) {
          List<Event> less = new ArrayList<>(events);
          less.subList(from, from + size).clear();
          all.add(new History(less, seed));
        }
      }
      return all;
    }
  }

  private static History history(Random random) {
    return new History(new RandomPolicies(random).events(EVENTS), random.nextLong());
  }

  @Test
  void theProgramSaysWhatPoliciesSayForEveryPairAndPort() {
    Property.forAll(
        600,
        PolicyCompilerPropertyTest::history,
        History::smaller,
        history -> {
          PolicyCompiler compiler = new PolicyCompiler();
          NaivePolicies naive = new NaivePolicies();
          Random random = new Random(history.seed());
          for (Event event : history.events()) {
            event.tell(compiler, naive);
            if (random.nextInt(4) == 0) {
              compiler.compile();
            }
          }
          compiler.compile();
          agree(compiler.tables(), naive, random);
        });
  }

  @Test
  void whatWasToldInAnyStepsAndOrderGivesOneProgram() {
    Property.forAll(
        600,
        PolicyCompilerPropertyTest::history,
        History::smaller,
        history -> {
          for (int mask : new int[] {-1, 0x3ff, 0x1ff}) {
            PolicyCompiler steps = new PolicyCompiler(mask);
            NaivePolicies naive = new NaivePolicies();
            Random random = new Random(history.seed());
            PolicyTables tables = PolicyTables.EMPTY;
            for (Event event : history.events()) {
              event.tell(steps, naive);
              if (random.nextInt(3) > 0) {
                PolicyDelta delta = steps.compile();
                tables = applied(tables, delta);
                assertThat(tables).isEqualTo(steps.tables());
              }
            }
            tables = applied(tables, steps.compile());
            assertThat(tables).isEqualTo(steps.tables());
            assertThat(steps.compile()).isEqualTo(PolicyDelta.NONE);
            PolicyTables fresh = fresh(naive, mask, random);
            assertThat(tables.pods()).isEqualTo(fresh.pods());
            assertThat(tables.peers()).isEqualTo(fresh.peers());
            assertThat(tables.ports()).isEqualTo(fresh.ports());
            assertThat(tables.verdicts()).isEqualTo(fresh.verdicts());
          }
        });
  }

  @Test
  void classesThatContendForNumbersAreToldApartAllTheSame() {
    Property.forAll(
        100,
        PolicyCompilerPropertyTest::history,
        History::smaller,
        history -> {
          PolicyCompiler compiler = new PolicyCompiler(0xff);
          NaivePolicies naive = new NaivePolicies();
          history
              .events()
              .forEach(event -> {
                event.tell(compiler, naive);
                compiler.compile();
              });
          agree(compiler.tables(), naive, new Random(history.seed()));
        });
  }

  /** A compiler that is told the last words only, shuffled. */
  private static PolicyTables fresh(NaivePolicies naive, int mask, Random random) {
    List<Event> last = new ArrayList<>();
    naive.policies.values().forEach(one -> last.add(new RandomPolicies.Put(one)));
    naive.namespaces.values().forEach(one -> last.add(new RandomPolicies.PutNamespace(one)));
    naive.nodes.values().forEach(one -> last.add(new RandomPolicies.PutNode(one)));
    naive.pods.values().forEach(one -> last.add(new RandomPolicies.PutPod(one)));
    naive.attached.forEach((pod, ips) -> last.add(new RandomPolicies.Attach(pod, ips)));
    Collections.shuffle(last, random);
    PolicyCompiler compiler = new PolicyCompiler(mask);
    last.forEach(event -> event.tell(compiler, new NaivePolicies()));
    compiler.compile();
    return compiler.tables();
  }

  private static void agree(PolicyTables tables, NaivePolicies naive, Random random) {
    List<Ip> addresses = new RandomPolicies(random).addresses();
    for (Ip pod : addresses) {
      if (naive.attached.values().stream().noneMatch(of -> of.contains(pod))) {
        assertThat(tables.pods().keySet()).noneMatch(key -> key.pod().equals(pod));
        continue;
      }
      for (Ip peer : addresses) {
        if (peer.family() != pod.family()) {
          continue;
        }
        for (Direction direction : List.of(Direction.INGRESS, Direction.EGRESS)) {
          for (Protocol protocol : PROTOCOLS) {
            int port =
                protocol == Protocol.ICMP
                    ? 0
                    : random.nextInt(6) == 0 ? random.nextInt(65536) : 78 + random.nextInt(10);
            agree(tables, naive, pod, direction, peer, protocol, port);
          }
        }
      }
    }
  }

  private static void agree(
      PolicyTables tables,
      NaivePolicies naive,
      Ip pod,
      Direction direction,
      Ip peer,
      Protocol protocol,
      int port) {
    NaivePolicies.Verdict said = naive.judge(pod, direction, peer, protocol, port);
    PolicyTables.Judgement judged = tables.judge(pod, direction, peer, protocol, port);
    String what =
        "%s %s, peer %s, %d/%s".formatted(pod, direction.label(), peer, port, protocol.label());
    assertThat(judged.allowed()).as(what).isEqualTo(said.allowed());
    assertThat(judged.verdict().map(verdict -> verdict.rule())).as(what).isEqualTo(said.rule());
    assertThat(judged.isolating()).as(what).isEqualTo(said.isolating());
  }

  private static PolicyTables applied(PolicyTables tables, PolicyDelta delta) {
    return new PolicyTables(
        applied(tables.pods(), delta.pods()),
        applied(tables.ports(), delta.ports()),
        applied(tables.peers(), delta.peers()),
        applied(tables.verdicts(), delta.verdicts()));
  }

  private static <K extends Comparable<K>, V> TreeMap<K, V> applied(
      SortedMap<K, V> rows, List<Change<K, V>> changes) {
    TreeMap<K, V> now = new TreeMap<>(rows);
    Map<K, Change<K, V>> seen = new LinkedHashMap<>();
    for (Change<K, V> change : changes) {
      assertThat(seen.put(change.key(), change)).as("told twice").isNull();
      assertThat(change.before().orElse(null)).isEqualTo(rows.get(change.key()));
      switch (change) {
        case Change.Put<K, V>(var key, var value, _) -> {
          assertThat(value).isNotEqualTo(rows.get(key));
          now.put(key, value);
        }
        case Change.Remove<K, V>(var key, _) -> now.remove(key);
      }
    }
    return now;
  }
}
