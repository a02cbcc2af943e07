package dev.sund.dataplane.nft;

import dev.sund.dataplane.ApplyReport;
import dev.sund.dataplane.KernelFeature;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.nft.Commit;
import dev.sund.model.Condition;
import dev.sund.model.ObjectRef;
import dev.sund.model.Reason;
import java.util.Optional;

/** What people are told when the kernel refuses a transaction or a part of it. */
final class Refusals {
  private Refusals() {}

  /** What is there and should not be, or should be and is not: someone else's work. */
  static boolean saysThatItChanged(Commit.Failure failure) {
    return failure.reason() instanceof KernelException.AlreadyExists
        || failure.reason() instanceof KernelException.NotFound;
  }

  /** The kernel refused something about this object. */
  static ApplyReport.Failure failure(ObjectRef object, KernelException e) {
    Reason reason =
        switch (e) {
          case KernelException.Denied _ -> Reason.CAPABILITY_MISSING;
          case KernelException.Unsupported _ -> Reason.KERNEL_FEATURE_MISSING;
          case KernelException _ -> Reason.KERNEL_REFUSED;
        };
    return new ApplyReport.Failure(
        object,
        new Condition(
            reason,
            object,
            "",
            sentence(String.valueOf(e.getMessage())),
            "It is tried again; what is there stays in force until then."),
        Optional.of(e));
  }

  /** The kernel answers that there is no such thing when it does not know an expression's name. */
  static ApplyReport.Failure expressionMissing(ObjectRef table, KernelException e) {
    return new ApplyReport.Failure(
        table,
        new Condition(
            Reason.KERNEL_FEATURE_MISSING,
            table,
            "",
            sentence(String.valueOf(e.getMessage())),
            KernelFeature.NFT_INET_NAT.remedy()),
        Optional.of(e));
  }

  private static String sentence(String text) {
    return text.endsWith(".") ? text : text + ".";
  }
}
