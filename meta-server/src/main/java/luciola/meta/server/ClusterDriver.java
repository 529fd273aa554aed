package luciola.meta.server;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;
import luciola.grpc.v1.Command;
import luciola.grpc.v1.CommandReply;
import luciola.grpc.v1.ExpireClients;
import luciola.grpc.v1.HeartbeatReply;
import luciola.grpc.v1.HeartbeatRequest;
import luciola.grpc.v1.InitCluster;
import luciola.grpc.v1.NodeStatus;
import luciola.grpc.v1.TakeOffice;
import luciola.grpc.v1.TargetStatus;
import luciola.meta.cluster.ClusterEffect;
import luciola.meta.cluster.ClusterEvent;
import luciola.meta.cluster.ClusterManager;
import luciola.meta.cluster.ClusterState;
import luciola.meta.cluster.HeardClients;
import luciola.meta.log.LogListener;
import luciola.meta.log.MetaLog;
import luciola.meta.namespace.tree.Tree;
import luciola.meta.placement.Place;
import luciola.meta.store.DataDirectory;
import luciola.meta.store.RocksStore;
import luciola.protocol.error.ErrorCode;
import luciola.protocol.error.LuciolaException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Drives the {@link ClusterManager}: one thread feeds it events and the monotonic clock and does
 * what it wants. Also the leader's other soft state: when each client was last heard of.
 */
final class ClusterDriver implements LogListener, AutoCloseable {
  private static final long OFFICE_PAUSE_MILLIS = 50;
  private static final Logger LOG = LoggerFactory.getLogger(ClusterDriver.class);
  private static final int EXPIRED_MAX = 1_000;

  private final MetaServerConfig config;
  private final DataDirectory directory;
  private final RocksStore store;
  private final ScheduledThreadPoolExecutor thread;
  private final HeardClients heardClients;
  private volatile Runnable expired = () -> {};
  private final CompletableFuture<ClusterState> initialised = new CompletableFuture<>();
  private final CompletableFuture<Throwable> broken = new CompletableFuture<>();
  private final Consumer<ClusterState> watchers;
  private final CountDownLatch started = new CountDownLatch(1);
  private volatile @Nullable MetaLog log;

  // Owned by the thread.
  private final ClusterManager manager;
  private final UsageCounting counting;
  private long expiryDueNanos;

  /** Newest state that was applied. */
  private ClusterState newest = ClusterState.EMPTY;

  /** Counts the times this member began to lead or to follow. */
  private long leadership;

  ClusterDriver(
      MetaServerConfig config,
      DataDirectory directory,
      RocksStore store,
      Consumer<ClusterState> watchers) {
    this.config = config;
    this.directory = directory;
    this.store = store;
    this.watchers = watchers;
    this.manager = new ClusterManager(config.timings(), config.syncingMax());
    this.heardClients = new HeardClients(config.clientTimeoutNanos(), 0);
    this.thread =
        new ScheduledThreadPoolExecutor(
            1, Thread.ofPlatform().name("meta-cluster").daemon().factory());
    this.counting = new UsageCounting(store, thread);
    thread.execute(this::awaitStart);
  }

  /**
   * The log may say that this member leads before it is known here: that event must not be lost.
   */
  private void awaitStart() {
    try {
      started.await();
    } catch (InterruptedException closed) {
      LOG.debug("closed before its start");
    }
  }

  /** Lets events be handled: those that the log has sent before wait until it is known here. */
  void start(MetaLog startedLog) {
    log = startedLog;
    started.countDown();
    long tick = Math.max(1_000_000, config.timings().heartbeatNanos() / 2);
    var _ = thread.scheduleAtFixedRate(this::tick, tick, tick, TimeUnit.NANOSECONDS);
  }

  /** Completes when this member leads a cluster that has its number. */
  CompletableFuture<ClusterState> initialised() {
    return initialised;
  }

  /** Completes, with the cause, if the process has to stop. */
  CompletableFuture<Throwable> broken() {
    return broken;
  }

  private MetaLog log() {
    MetaLog known = log;
    if (known == null) {
      throw new LuciolaException(ErrorCode.NOT_LEADER, "the server is starting");
    }
    return known;
  }

  private void onThread(Runnable work) {
    try {
      thread.execute(() -> {
        try {
          work.run();
        } catch (RuntimeException unexpected) {
          LOG.error("cluster manager failed", unexpected);
        }
      });
    } catch (RejectedExecutionException closed) {
      LOG.debug("event after close");
    }
  }

  // Events of the log.

  @Override
  public void leading(ClusterState state) {
    onThread(() -> {
      newest = state;
      expiryDueNanos = System.nanoTime();
      heardClients.leads(expiryDueNanos);
      takeOffice(++leadership);
      if (state.clusterId() == 0) {
        initialise();
      } else {
        adopt(state);
      }
    });
  }

  /**
   * What a former manager decided, this very one in an earlier leadership even, may still be on its
   * way to the log: from the record of this on it has no effect. Only then are decisions made here.
   */
  private void takeOffice(long ofLeadership) {
    var _ =
        log()
            .submit(Command.newBuilder().setTakeOffice(TakeOffice.getDefaultInstance()).build())
            .whenComplete(
                (reply, failure) -> onThread(() -> tookOffice(ofLeadership, reply, failure)));
  }

  private void tookOffice(
      long ofLeadership, @Nullable CommandReply reply, @Nullable Throwable failure) {
    if (ofLeadership != leadership) {
      return;
    }
    if (reply == null) {
      LOG.warn("office not taken yet: cause={}", String.valueOf(failure));
      var _ =
          thread.schedule(
              () -> {
                if (ofLeadership == leadership) {
                  takeOffice(ofLeadership);
                }
              },
              OFFICE_PAUSE_MILLIS,
              TimeUnit.MILLISECONDS);
    } else if (newest.manager() == reply.getTakeOffice().getManager()) {
      run(new ClusterEvent.BecameLeader(newest));
    }
  }

  private void initialise() {
    long id = config.clusterId() != 0 ? config.clusterId() : directory.clusterId();
    while (id == 0) {
      id = new java.security.SecureRandom().nextLong();
    }
    propose(
        Command.newBuilder().setInitCluster(InitCluster.newBuilder().setClusterId(id)).build(),
        "init cluster");
  }

  private void adopt(ClusterState state) {
    if (state.clusterId() == 0) {
      return;
    }
    try {
      directory.belongTo(state.clusterId());
      initialised.complete(state);
    } catch (LuciolaException wrong) {
      initialised.completeExceptionally(wrong);
      broken(wrong);
    }
  }

  @Override
  public void following() {
    onThread(() -> {
      leadership++;
      run(new ClusterEvent.LostLeadership());
    });
  }

  @Override
  public void clusterChanged(ClusterState state) {
    onThread(() -> {
      newest = state;
      adopt(state);
      run(new ClusterEvent.StateChanged(state));
      watchers.accept(state);
    });
  }

  @Override
  public void answering(Runnable answers) {
    Together.run(answers);
  }

  @Override
  public void broken(Throwable cause) {
    if (broken.complete(cause)) {
      LOG.error("the meta-server cannot go on: cause={}", cause.toString());
    }
  }

  // The manager.

  private List<ClusterEffect> run(ClusterEvent event) {
    List<ClusterEffect> effects = manager.step(event, System.nanoTime());
    for (ClusterEffect effect : effects) {
      if (effect instanceof ClusterEffect.ProposeChains(var command)) {
        LOG.info("chains change: {}", describe(command.getChainsList()));
        propose(Command.newBuilder().setChangeChains(command).build(), "change chains");
      } else if (effect instanceof ClusterEffect.Propose(var command)) {
        LOG.info("the manager replaces lost replicas: {}", command.getOperation().getPlansList());
        propose(command, "replace lost replicas");
      }
    }
    return effects;
  }

  private static List<String> describe(List<luciola.grpc.v1.Chain> chains) {
    return chains.stream()
        .map(chain ->
            "chain="
                + chain.getId()
                + "@"
                + chain.getVersion()
                + chain.getMembersList().stream()
                    .map(member ->
                        member.getTargetId()
                            + ":"
                            + member.getPublicState().name().substring("PUBLIC_STATE_".length()))
                    .toList())
        .toList();
  }

  private void propose(Command command, String what) {
    var _ = proposed(command, what);
  }

  private CompletableFuture<CommandReply> proposed(Command command, String what) {
    return log()
        .submit(command)
        .whenComplete((_, failure) -> {
          if (failure != null) {
            LOG.warn("proposal lost: what={} cause={}", what, failure.toString());
          }
        });
  }

  private void tick() {
    try {
      run(new ClusterEvent.Tick());
      long now = System.nanoTime();
      if (manager.leads() && now - expiryDueNanos >= 0) {
        expiryDueNanos = now + config.clientTimeoutNanos() / 4;
        expire(now);
      }
      if (manager.leads()) {
        counting.tick(log());
      }
    } catch (RuntimeException unexpected) {
      LOG.error("cluster manager tick failed", unexpected);
    }
  }

  /** Answers a heartbeat; the lease in it is given only if this member leads after it arrived. */
  CompletableFuture<HeartbeatReply> heartbeat(HeartbeatRequest request) {
    var answer = new CompletableFuture<HeartbeatReply>();
    var _ =
        log()
            .fence()
            .whenComplete((_, failure) -> {
              if (failure != null) {
                answer.completeExceptionally(failure);
                return;
              }
              onThread(() ->
                  run(new ClusterEvent.Heartbeat(request)).stream()
                      .filter(ClusterEffect.AnswerHeartbeat.class::isInstance)
                      .forEach(effect ->
                          answer.complete(((ClusterEffect.AnswerHeartbeat) effect).reply())));
            });
    return answer;
  }

  /** Puts what was asked for into the log, if the manager allows it, and gives its outcome. */
  CompletableFuture<CommandReply> ask(ClusterEvent event) {
    var answer = new CompletableFuture<CommandReply>();
    onThread(() -> {
      try {
        for (ClusterEffect effect : manager.step(event, System.nanoTime())) {
          switch (effect) {
            case ClusterEffect.Refuse(var code, var message) ->
                answer.completeExceptionally(new LuciolaException(code, message));
            case ClusterEffect.Propose(var command) -> submit(command, answer);
            case ClusterEffect.ProposeChains _, ClusterEffect.AnswerHeartbeat _ ->
                throw new IllegalStateException("unasked: " + effect);
          }
        }
      } catch (RuntimeException unexpected) {
        answer.completeExceptionally(unexpected);
        throw unexpected;
      }
    });
    return answer;
  }

  /** What would be put into the log for what is asked; changes nothing. */
  CompletableFuture<Command> would(ClusterEvent event) {
    return asked(() -> {
      for (ClusterEffect effect : manager.step(event, System.nanoTime())) {
        switch (effect) {
          case ClusterEffect.Refuse(var code, var message) ->
              throw new LuciolaException(code, message);
          case ClusterEffect.Propose(var command) -> {
            return command;
          }
          case ClusterEffect.ProposeChains _, ClusterEffect.AnswerHeartbeat _ ->
              throw new IllegalStateException("unasked: " + effect);
        }
      }
      throw new IllegalStateException("no answer to " + event);
    });
  }

  private void submit(Command command, CompletableFuture<CommandReply> answer) {
    var _ =
        log()
            .submit(command)
            .whenComplete((reply, failure) -> {
              if (failure != null) {
                answer.completeExceptionally(failure);
              } else {
                answer.complete(reply);
              }
            });
  }

  /** Targets that may take replicas. */
  CompletableFuture<List<Place>> eligible() {
    return asked(() -> manager.eligible(System.nanoTime()));
  }

  CompletableFuture<List<NodeStatus>> nodeStatuses() {
    return asked(() -> manager.nodeStatuses(System.nanoTime()));
  }

  CompletableFuture<List<TargetStatus>> targetStatuses() {
    return asked(() -> manager.targetStatuses(System.nanoTime()));
  }

  private <T> CompletableFuture<T> asked(Supplier<T> question) {
    var answer = new CompletableFuture<T>();
    onThread(() -> {
      try {
        answer.complete(question.get());
      } catch (RuntimeException unexpected) {
        answer.completeExceptionally(unexpected);
        throw unexpected;
      }
    });
    return answer;
  }

  // Clients.

  /**
   * A client has been heard of. False if its lease is being ended just now: nothing can be promised
   * to it until that is done.
   */
  boolean heard(long client) {
    return client == 0 || heardClients.heard(client, System.nanoTime());
  }

  /** How long a client that is not heard of keeps its sessions and locks. */
  long clientLeaseNanos() {
    return config.clientTimeoutNanos();
  }

  /** There may be something to count: a quota was set or removed. */
  void countUsage() {
    onThread(() -> counting.tick(log()));
  }

  /** What is to be done when clients have lost their locks. */
  void whenExpired(Runnable action) {
    expired = action;
  }

  private void expire(long nowNanos) {
    List<Long> gone =
        heardClients.gone(store.read(view -> Tree.reading(view).clients()), EXPIRED_MAX, nowNanos);
    if (!gone.isEmpty()) {
      LOG.info("clients expire: count={}", gone.size());
      var _ =
          proposed(
                  Command.newBuilder()
                      .setExpireClients(ExpireClients.newBuilder().addAllClients(gone))
                      .build(),
                  "expire clients")
              .whenComplete((_, _) -> {
                heardClients.ended(gone);
                expired.run();
              });
    }
  }

  @Override
  public void close() {
    thread.shutdownNow();
    try {
      if (!thread.awaitTermination(10, TimeUnit.SECONDS)) {
        LOG.warn("the cluster manager's thread does not end");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
