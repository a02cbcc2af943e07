package dev.sund.agent.apply;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Who waits for which attachment: the local socket's threads wait, the loop's threads settle. Any
 * thread may call.
 */
final class Tickets {
  private final Map<String, CompletableFuture<AttachOutcome>> waiting = new ConcurrentHashMap<>();

  /** Begins to wait; a wait for the same attachment that is under way is overtaken. */
  CompletableFuture<AttachOutcome> open(String attachmentKey) {
    CompletableFuture<AttachOutcome> ticket = new CompletableFuture<>();
    CompletableFuture<AttachOutcome> before = waiting.put(attachmentKey, ticket);
    if (before != null) {
      before.complete(new AttachOutcome.Overtaken());
    }
    return ticket;
  }

  /** Waits for the end. */
  AttachOutcome await(String attachmentKey, CompletableFuture<AttachOutcome> ticket, Duration limit)
      throws InterruptedException {
    try {
      return ticket.get(limit.toNanos(), TimeUnit.NANOSECONDS);
    } catch (TimeoutException _) {
      return new AttachOutcome.TooLong();
    } catch (ExecutionException e) {
      throw new AssertionError("a ticket is never completed by an exception", e);
    } finally {
      waiting.remove(attachmentKey, ticket);
    }
  }

  /** Ends the wait for an attachment, if anybody waits. */
  void settle(String attachmentKey, AttachOutcome outcome) {
    CompletableFuture<AttachOutcome> ticket = waiting.remove(attachmentKey);
    if (ticket != null) {
      ticket.complete(outcome);
    }
  }
}
