package dev.sund.bench;

import dev.sund.agent.apply.DataplaneSide;
import dev.sund.dataplane.Dataplane;
import dev.sund.engine.cluster.Attachment;
import dev.sund.engine.program.LocalPod;

/** Some drivers under the agent's own loop, on a node to which no pod is attached. */
public abstract class PodlessKernel extends DataplaneSide {
  /** Over these drivers; closed by whoever made them. */
  protected PodlessKernel(Dataplane dataplane) {
    super(dataplane);
  }

  @Override
  public final void attached(String device, Attachment attachment) {
    throw new IllegalStateException("no pods here");
  }

  @Override
  public final void detached(String device) {
    throw new IllegalStateException("no pods here");
  }

  @Override
  public final Progress attachProgress(LocalPod pod) {
    throw new IllegalStateException("no pods here");
  }

  @Override
  public final Progress translationProgress() {
    throw new IllegalStateException("no networks here");
  }

  @Override
  public final Progress detachProgress(LocalPod pod) {
    throw new IllegalStateException("no pods here");
  }
}
