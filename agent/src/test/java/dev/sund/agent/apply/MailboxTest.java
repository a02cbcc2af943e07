package dev.sund.agent.apply;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.engine.cluster.Attachment;
import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.engine.cluster.ClusterEvent.NodeGone;
import dev.sund.engine.cluster.ClusterEvent.PoolGone;
import dev.sund.engine.cluster.ClusterEvent.Synced;
import dev.sund.engine.cluster.Policy;
import dev.sund.model.Ip;
import dev.sund.model.NodeName;
import dev.sund.model.ObjectRef;
import dev.sund.model.PodKey;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(20)
class MailboxTest {
  private final Mailbox mailbox = new Mailbox();

  @Test
  void givesEventsInTheOrderOfTheirArrival() throws InterruptedException {
    mailbox.put(node("a"));
    mailbox.put(new PoolGone("p"));
    mailbox.put(new Synced());
    assertThat(mailbox.take(Integer.MAX_VALUE, 0))
        .containsExactly(node("a"), new PoolGone("p"), new Synced());
    assertThat(mailbox.take(Integer.MAX_VALUE, 0)).isEmpty();
  }

  @Test
  void ofTwoEventsAboutOneObjectOnlyTheLaterCounts() throws InterruptedException {
    mailbox.put(node("a"));
    mailbox.put(node("b"));
    mailbox.put(new ClusterEvent.Refused(node("a").key(), List.of()));
    assertThat(mailbox.take(Integer.MAX_VALUE, 0))
        .containsExactly(new ClusterEvent.Refused(node("a").key(), List.of()), node("b"));
    assertThat(mailbox.takeCoalesced()).isEqualTo(1);
  }

  @Test
  void givesAPartOfManyAndThenTheRest() throws InterruptedException {
    for (String name : List.of("a", "b", "c")) {
      mailbox.put(node(name));
    }
    assertThat(mailbox.take(2, 0)).containsExactly(node("a"), node("b"));
    mailbox.put(node("a"));
    assertThat(mailbox.take(2, 0)).containsExactly(node("c"), node("a"));
    assertThat(mailbox.size()).isZero();
  }

  @Test
  void whatSomebodyWaitsForComesBeforeWhatTheClusterTells() throws InterruptedException {
    ClusterEvent detached = new ClusterEvent.Detached("c1/eth0");
    ClusterEvent network = new ClusterEvent.NetworkGone("bridge");
    for (ClusterEvent event : List.of(node("a"), node("b"), detached, network)) {
      mailbox.put(event);
    }
    assertThat(mailbox.take(1, 0)).containsExactly(detached, network, node("a"));
    assertThat(mailbox.take(1, 0)).containsExactly(node("b"));
  }

  /** N20: a pod must not be attached under older policies than the cluster has told. */
  @Test
  void policiesAndThePodItselfComeWithAnAttachment() throws InterruptedException {
    PodKey pod = PodKey.parse("shop/web");
    ClusterEvent seen = new ClusterEvent.PodGone(pod);
    ClusterEvent attached =
        new ClusterEvent.Attached(
            new Attachment("c1", "eth0", "/x", pod, "u", List.of(Ip.parse("10.244.1.5"))));
    ClusterEvent policy =
        new ClusterEvent.PolicyGone(new ObjectRef(Policy.NETWORK_POLICY, "shop/p"));
    ClusterEvent namespace = new ClusterEvent.NamespaceGone("shop");
    for (ClusterEvent event : List.of(node("a"), node("b"), seen, attached, policy, namespace)) {
      mailbox.put(event);
    }
    assertThat(mailbox.take(1, 0)).containsExactly(policy, namespace, seen, attached, node("a"));
    assertThat(mailbox.take(1, 0)).containsExactly(node("b"));
  }

  @Test
  void holdsOneEventAnObjectHoweverSlowItsReaderIs() {
    for (int round = 0; round < 100; round++) {
      for (int i = 0; i < 50; i++) {
        mailbox.put(node("n" + i));
      }
    }
    assertThat(mailbox.size()).isEqualTo(50);
  }

  @Test
  void wakesItsReader() throws InterruptedException {
    Thread waker = Thread.ofPlatform().start(mailbox::wake);
    assertThat(mailbox.take(Integer.MAX_VALUE, Long.MAX_VALUE)).isEmpty();
    waker.join();
  }

  @Test
  void losesNoObjectBetweenManyWritersAndOneReader() throws InterruptedException {
    List<Thread> writers = new ArrayList<>();
    for (int w = 0; w < 4; w++) {
      int writer = w;
      writers.add(
          Thread.ofPlatform()
              .start(() -> {
                for (int i = 0; i < 5_000; i++) {
                  mailbox.put(node("w" + writer + "-" + i % 1_000));
                }
              }));
    }
    Set<ClusterEvent> seen = new HashSet<>();
    while (seen.size() < 4_000) {
      seen.addAll(mailbox.take(Integer.MAX_VALUE, 1_000_000_000L));
    }
    for (Thread writer : writers) {
      writer.join();
    }
    assertThat(seen).hasSize(4_000);
  }

  private static ClusterEvent node(String name) {
    return new NodeGone(new NodeName(name));
  }
}
