package dev.sund.agent;

import dev.sund.agent.apply.ApplyLoop;
import dev.sund.agent.apply.AttachOutcome;
import dev.sund.agent.cni.CniException;
import dev.sund.agent.cni.CniException.Code;
import dev.sund.agent.cni.PodNetworks;
import dev.sund.agent.log.Log;
import dev.sund.agent.state.StateDir;
import dev.sund.engine.PodDevices;
import dev.sund.engine.cluster.Attachment;
import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.engine.program.LocalPod;
import dev.sund.model.Condition;
import dev.sund.model.Ip;
import java.io.IOException;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;

/**
 * Attaches and detaches pods for the local socket's calls. Many threads at once; calls about one
 * attachment one after the other.
 *
 * <p>What is attached is written to disk before the kernel is told, and forgotten on disk after the
 * kernel has let go: so an agent that dies in between either finds the attachment again and
 * finishes it, or is asked again by the runtime, which had no answer.
 */
final class AttachCalls implements PodNetworks {
  /** How long the kernel may take. */
  static final Duration PATIENCE = Duration.ofSeconds(10);

  private final ApplyLoop loop;
  private final StateDir state;
  private final AgentMetrics metrics;
  private final Supplier<Optional<String>> notReady;
  private final Log log;
  private final Map<String, Attachment> attachments = new ConcurrentHashMap<>();
  private final Map<Ip, String> holders = new ConcurrentHashMap<>();
  private final ReentrantLock[] locks = new ReentrantLock[64];

  AttachCalls(
      ApplyLoop loop,
      StateDir state,
      AgentMetrics metrics,
      Supplier<Optional<String>> notReady,
      Log log) {
    this.loop = loop;
    this.state = state;
    this.metrics = metrics;
    this.notReady = notReady;
    this.log = log;
    for (int i = 0; i < locks.length; i++) {
      locks[i] = new ReentrantLock();
    }
  }

  /** Takes up what an earlier agent attached; before the loop starts. */
  void restore(List<Attachment> restored) {
    for (Attachment attachment : restored) {
      remember(attachment);
      loop.mailbox().put(new ClusterEvent.Attached(attachment));
    }
  }

  @Override
  public Optional<String> notReady() {
    return notReady.get();
  }

  @Override
  public boolean isAttached(String key) {
    return attachments.containsKey(key);
  }

  @Override
  public Collection<Attachment> attachments() {
    return attachments.values();
  }

  @Override
  public LocalPod attach(Attachment attachment) throws CniException, InterruptedException {
    long began = System.nanoTime();
    boolean done = false;
    ReentrantLock lock = lock(attachment.key());
    lock.lockInterruptibly();
    try {
      LocalPod pod = attachLocked(attachment);
      done = true;
      return pod;
    } finally {
      lock.unlock();
      observe("ADD", done, began);
    }
  }

  @Override
  public void detach(String key) throws CniException, InterruptedException {
    long began = System.nanoTime();
    boolean done = false;
    ReentrantLock lock = lock(key);
    lock.lockInterruptibly();
    try {
      detachLocked(key);
      done = true;
    } finally {
      lock.unlock();
      observe("DEL", done, began);
    }
  }

  @Override
  public Attachment check(String key) throws CniException, InterruptedException {
    Attachment attachment = attachments.get(key);
    if (attachment == null) {
      throw new CniException(
          Code.UNKNOWN_CONTAINER,
          key + " is not attached.",
          "The runtime should make the sandbox anew.");
    }
    String device = PodDevices.device(attachment);
    List<String> names = attachment.addresses().stream().map(Ip::toString).toList();
    Optional<Condition> found =
        loop.reread(PATIENCE).kernelConditions().stream()
            .filter(condition ->
                condition.object().name().contains(device)
                    || names.stream().anyMatch(ip -> condition.object().name().startsWith(ip)))
            .findFirst();
    if (found.isPresent()) {
      throw refusal(found.get());
    }
    return attachment;
  }

  private LocalPod attachLocked(Attachment attachment) throws CniException, InterruptedException {
    takeOver(attachment);
    try {
      state.write(attachment);
    } catch (IOException e) {
      forget(attachment);
      throw diskFailure(e);
    }
    boolean kept = false;
    boolean answered = false;
    try {
      AttachOutcome outcome = loop.attach(attachment, PATIENCE);
      answered = !(outcome instanceof AttachOutcome.TooLong);
      LocalPod pod =
          switch (outcome) {
            case AttachOutcome.Done(Optional<LocalPod> row) -> row.orElseThrow();
            case AttachOutcome.Refused(List<Condition> why) ->
                throw why.isEmpty()
                    ? new CniException(
                        Code.TRY_AGAIN_LATER,
                        "Pod " + attachment.pod() + " has no place in the node's program yet.",
                        "Look at the agent's status for conditions on the node and the pod.")
                    : refusal(why.getFirst());
            case AttachOutcome.Overtaken() ->
                throw new CniException(
                    Code.TRY_AGAIN_LATER,
                    "A later call about " + attachment.key() + " took this one's place.",
                    "Nothing need be done.");
            case AttachOutcome.TooLong() ->
                throw new CniException(
                    Code.TRY_AGAIN_LATER,
                    "The kernel has not taken the pod's rules within "
                        + PATIENCE.toSeconds()
                        + " seconds.",
                    notReady.get().orElse("Look at the agent's status and log."));
          };
      kept = true;
      return pod;
    } finally {
      if (!kept) {
        rollBack(attachment, answered);
      }
    }
  }

  /**
   * The addresses must be free. A sandbox made anew for the same pod takes its predecessor's place:
   * the runtime may tell of the old one's end later, or never.
   */
  private void takeOver(Attachment attachment) throws CniException {
    synchronized (holders) {
      for (Ip ip : attachment.addresses()) {
        String holder = holders.get(ip);
        Attachment other = holder == null ? null : attachments.get(holder);
        if (other == null || other.key().equals(attachment.key())) {
          continue;
        }
        if (!PodDevices.device(other).equals(PodDevices.device(attachment))) {
          throw new CniException(
              Code.ADDRESS_IN_USE,
              "Address " + ip + " belongs to pod " + other.pod() + " on this node.",
              "Give pod " + attachment.pod() + " another address, or remove the other pod.");
        }
        log.info("a new sandbox takes over", "pod", other.pod(), "old", other.key());
        loop.mailbox().put(new ClusterEvent.Detached(other.key()));
        forget(other);
        removeFile(other);
      }
      remember(attachment);
    }
  }

  /**
   * Takes back what a failed ADD began, before its answer: the runtime may call ADD again at once,
   * with another container's id and no DEL in between, and the interface's name must be free then.
   *
   * @param wait whether the kernel answers: else nobody waits a second time
   */
  private void rollBack(Attachment attachment, boolean wait) {
    if (!wait || loop.state().hold().isPresent()) {
      loop.mailbox().put(new ClusterEvent.Detached(attachment.key()));
    } else {
      try {
        AttachOutcome outcome = loop.detach(attachment.key(), PATIENCE);
        if (!(outcome instanceof AttachOutcome.Done)) {
          log.warn(
              "what a failed ADD began is not all taken back yet",
              "attachment",
              attachment.key(),
              "outcome",
              outcome);
        }
      } catch (InterruptedException _) {
        Thread.currentThread().interrupt(); // it is under way all the same
      }
    }
    forget(attachment);
    removeFile(attachment);
  }

  private void detachLocked(String key) throws CniException, InterruptedException {
    Attachment attachment = attachments.get(key);
    if (attachment == null) {
      return; // a second DEL, or one of a sandbox that never came to be
    }
    Optional<String> hold = loop.state().hold();
    if (hold.isPresent()) {
      throw new CniException(
          Code.TRY_AGAIN_LATER, hold.get(), "The runtime tries again by itself.");
    }
    switch (loop.detach(key, PATIENCE)) {
      case AttachOutcome.Done _, AttachOutcome.Overtaken _ -> {
        forget(attachment);
        removeFile(attachment);
      }
      case AttachOutcome.Refused(List<Condition> why) -> throw refusal(why.getFirst());
      case AttachOutcome.TooLong() ->
          throw new CniException(
              Code.TRY_AGAIN_LATER,
              "The kernel has not let go of the pod within " + PATIENCE.toSeconds() + " seconds.",
              "The runtime tries again by itself; look at the agent's status and log.");
    }
  }

  private void remember(Attachment attachment) {
    synchronized (holders) {
      attachments.put(attachment.key(), attachment);
      attachment.addresses().forEach(ip -> holders.put(ip, attachment.key()));
    }
  }

  private void forget(Attachment attachment) {
    synchronized (holders) {
      attachments.remove(attachment.key());
      attachment.addresses().forEach(ip -> holders.remove(ip, attachment.key()));
    }
  }

  private void removeFile(Attachment attachment) {
    try {
      state.remove(attachment);
    } catch (IOException e) {
      // The pod is gone from the kernel; a restarted agent would take the file for a pod of ours.
      log.error(
          "an attachment's file cannot be removed",
          "attachment",
          attachment.key(),
          "error",
          e.getMessage());
    }
  }

  private void observe(String command, boolean done, long began) {
    metrics
        .attachSeconds
        .labelValues(command, done ? "done" : "refused")
        .observe((System.nanoTime() - began) / 1e9);
  }

  private ReentrantLock lock(String key) {
    return locks[Math.floorMod(key.hashCode(), locks.length)];
  }

  private static CniException refusal(Condition condition) {
    return new CniException(
        Code.KERNEL_REFUSED,
        condition.object() + ": " + condition.text() + " [" + condition.reason().code() + "]",
        condition.remedy());
  }

  private static CniException diskFailure(IOException e) {
    return new CniException(
        Code.IO_FAILURE,
        "The attachment cannot be written to the state directory: " + e.getMessage() + ".",
        "Make room on the disk, or look at the directory's permissions.");
  }
}
