package dev.sund.dataplane;

import dev.sund.kernel.KernelException;
import dev.sund.model.Condition;
import dev.sund.model.ObjectRef;
import dev.sund.model.Reason;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Supplier;

/** The conditions now true of a driver's objects, one an object, and the texts they have alike. */
final class Problems {
  private final TreeMap<ObjectRef, Condition> conditions = new TreeMap<>();

  void put(Condition condition) {
    conditions.put(condition.object(), condition);
  }

  void clear(ObjectRef object) {
    conditions.remove(object);
  }

  /** As {@link #clear(ObjectRef)}, for a thousand rows at a time: no name is made for nothing. */
  void clear(Supplier<ObjectRef> object) {
    if (!conditions.isEmpty()) {
      clear(object.get());
    }
  }

  void clear() {
    conditions.clear();
  }

  Optional<Condition> of(ObjectRef object) {
    return Optional.ofNullable(conditions.get(object));
  }

  List<Condition> all() {
    return List.copyOf(conditions.values());
  }

  /** What a refusal of the kernel means to the reader. */
  static Condition refused(ObjectRef object, KernelException cause) {
    String message = String.valueOf(cause.getMessage());
    String text = message.endsWith(".") ? message : message + ".";
    return switch (cause) {
      case KernelException.Denied denied ->
          new Condition(
              Reason.CAPABILITY_MISSING,
              object,
              "",
              text,
              "Grant " + denied.capability().label() + " to the agent.");
      case KernelException.Unsupported unsupported ->
          new Condition(
              Reason.KERNEL_FEATURE_MISSING,
              object,
              "",
              text,
              KernelFeature.of(object)
                  .map(KernelFeature::remedy)
                  .orElse("Run a kernel with " + unsupported.feature() + "."));
      case KernelException _ ->
          new Condition(
              Reason.KERNEL_REFUSED,
              object,
              "",
              text,
              "The change is tried again; look at what the kernel says is wrong with it.");
    };
  }

  static Condition noDevice(ObjectRef object, String device) {
    return new Condition(
        Reason.KERNEL_REFUSED,
        object,
        "dev",
        "The device " + device + " does not exist.",
        "It is tried again when the device appears.");
  }

  /** A change that was made, put into words when somebody asks. */
  private record Done(String verb, Object row) {
    @Override
    public String toString() {
      return verb + " " + row;
    }
  }

  /** A driver's report while it is being written. */
  static final class Log {
    private final List<Object> done = new ArrayList<>();
    private final List<ApplyReport.Failure> failed = new ArrayList<>();
    private final java.util.Set<String> reset = new java.util.TreeSet<>();
    private int messages;

    void done(Object what) {
      done.add(what);
    }

    /** As {@link #done(Object)} of {@code VERB ROW}. */
    void done(String verb, Object row) {
      done.add(new Done(verb, row));
    }

    void sent(int count) {
      messages += count;
    }

    void reset(String device) {
      reset.add(device);
    }

    void failed(Condition condition, Optional<KernelException> cause) {
      failed.add(new ApplyReport.Failure(condition.object(), condition, cause));
    }

    ApplyReport report(int deferred, Problems problems) {
      return new ApplyReport(done, deferred, failed, problems.all(), messages, reset);
    }
  }
}
