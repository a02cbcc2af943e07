package dev.sund.lab.measure;

import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.socket.Endpoint;
import dev.sund.model.Checks;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;

/**
 * Flows that run while something happens to the network, with an account of every message at both
 * ends. What a receiver's full buffer lost is told apart from what the network lost.
 *
 * <pre>{@code
 * try (Traffic traffic = Traffic.start(List.of(
 *     new Flow("udp", Kind.DATAGRAMS, podA, podB, new Endpoint(ipB, 9001)),
 *     new Flow("tcp", Kind.STREAM, podA, podB, new Endpoint(ipB, 9002)),
 *     new Flow("rr", Kind.REQUESTS, podA, podB, new Endpoint(ipB, 9003))))) {
 *   restartTheAgent();
 *   assertThat(traffic.stop()).allMatch(Account::flawless);
 * }
 * }</pre>
 *
 * <p>All flows share one thread. Start and stop from one thread; closing without stopping drops the
 * account.
 */
public final class Traffic implements AutoCloseable {
  /** How long answers are waited for when no more is sent. */
  private static final long DRAIN_NANOS = 10_000_000_000L;

  /** What a flow does. */
  public enum Kind {
    /** 1,000 numbered datagrams a second, one way. */
    DATAGRAMS,
    /** One TCP connection, 100 numbered messages a second each way. */
    STREAM,
    /** 100 requests a second, each by a TCP connection of its own. */
    REQUESTS,
    /** As {@link #REQUESTS}, but of whoever a {@link Measurement} has there: it answers probes. */
    CALLS;

    /** Those whose both ends are the flow's own. */
    public static final List<Kind> OF_OWN_ENDS = List.of(DATAGRAMS, STREAM, REQUESTS);
  }

  /**
   * A flow.
   *
   * @param name how its account is called
   * @param kind what it does
   * @param from the sender's namespace
   * @param to the receiver's namespace
   * @param at the receiver's address, at a port that nobody else has
   */
  public record Flow(String name, Kind kind, NetNs from, NetNs to, Endpoint at) {
    /** Requests to an address at which sites of a {@link Measurement} answer, such as a Service. */
    public static Flow calls(String name, NetNs from, Endpoint at) {
      return new Flow(name, Kind.CALLS, from, from, at);
    }
  }

  /**
   * What became of a flow.
   *
   * @param name the flow's
   * @param sent messages or requests sent
   * @param received messages received, both ways counted for a stream; requests answered
   * @param lost messages that the network lost: sent, not received, and not counted as overflow
   * @param overflow messages that a full receive buffer lost
   * @param failed connections that were refused, reset or not answered, and sends refused
   * @param longestGap the longest time without a message received
   * @param problem the first failure in words, empty when there was none
   */
  public record Account(
      String name,
      long sent,
      long received,
      long lost,
      long overflow,
      long failed,
      Duration longestGap,
      String problem) {
    /** Whether something flowed and nothing was lost or failed. */
    public boolean flawless() {
      return received > 0 && lost == 0 && failed == 0;
    }
  }

  private final ProbeLoop loop;
  private final List<FlowEnds> flows;
  private final CountDownLatch ended = new CountDownLatch(1);
  private volatile long tried;
  private volatile boolean stopping;
  private volatile boolean abandoned;

  private Traffic(ProbeLoop loop, List<FlowEnds> flows) {
    this.loop = loop;
    this.flows = flows;
  }

  /** Opens all flows and starts sending. */
  public static Traffic start(List<Flow> flows) throws KernelException, InterruptedException {
    Checks.that(!flows.isEmpty(), "traffic has at least one flow");
    ProbeLoop loop = ProbeLoop.start();
    List<FlowEnds> ends = new ArrayList<>();
    Traffic traffic = new Traffic(loop, ends);
    try {
      loop.run(() -> {
        for (Flow flow : flows) {
          ends.add(FlowEnds.open(loop, flow));
        }
        return true;
      });
    } catch (KernelException | RuntimeException | InterruptedException e) {
      traffic.ended.countDown();
      traffic.close();
      throw e;
    }
    loop.submit(traffic::run);
    return traffic;
  }

  private void run() {
    try {
      while (!stopping && !abandoned) {
        long now = System.nanoTime();
        for (FlowEnds flow : flows) {
          flow.sendDue(now);
        }
        tried = flows.stream().mapToLong(FlowEnds::tried).min().orElse(0);
        loop.turn(1);
      }
      long deadline = System.nanoTime() + DRAIN_NANOS;
      while (!abandoned
          && System.nanoTime() < deadline
          && !flows.stream().allMatch(FlowEnds::complete)) {
        loop.turn(10);
      }
    } catch (KernelException e) {
      flows.forEach(flow -> flow.problem(e.toString()));
    } finally {
      ended.countDown();
    }
  }

  /** How many messages or requests each flow has sent or tried to, at the least, until now. */
  public long tried() {
    return tried;
  }

  /** Stops sending, waits for what is on its way, and gives the accounts in the flows' order. */
  public List<Account> stop() throws KernelException, InterruptedException {
    stopping = true;
    ended.await();
    return loop.run(() -> flows.stream().map(FlowEnds::account).toList());
  }

  @Override
  public void close() {
    abandoned = true;
    try {
      ended.await();
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
    loop.close();
    flows.forEach(FlowEnds::close);
  }
}
