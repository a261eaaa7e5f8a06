import { closed, sentence } from '@/lib/format';
import { State } from '@/ui/state';
import { type Layer, layerPurpose, layerStates, layerTitle } from './words';

/** Each layer with its reason; what does not hold comes first, with what would bring it into force. */
export function Layers({ layers }: { layers: readonly Layer[] }) {
  const short = layers.filter((layer) => layer.state !== 'enforced');
  const held = layers.filter((layer) => layer.state === 'enforced');
  return (
    <>
      {short.length > 0 && (
        <ul className="divide-y divide-line border-b border-line">
          {short.map((layer) => (
            <Row key={layer.name} layer={layer} />
          ))}
        </ul>
      )}
      <ul className="grid gap-x-4 sm:grid-cols-2">
        {held.map((layer) => (
          <Row key={layer.name} layer={layer} />
        ))}
      </ul>
    </>
  );
}

function Row({ layer }: { layer: Layer }) {
  const { word, kind } = layerStates[layer.state];
  const purpose = layerPurpose(layer.name);
  return (
    <li className="flex items-start gap-4 px-4 py-2">
      <div className="min-w-0 flex-1">
        <p className="text-control font-medium">{layerTitle(layer.name)}</p>
        {purpose && <p className="text-label">{purpose}</p>}
        {layer.reason && <p className="text-label break-words text-muted">{closed(sentence(layer.reason))}</p>}
        {layer.mend && (
          <p className="mt-0.5 max-w-[80ch] text-label break-words">
            <span className="font-medium">To mend it: </span>
            {closed(sentence(layer.mend))}
          </p>
        )}
      </div>
      <State kind={kind}>{word}</State>
    </li>
  );
}
