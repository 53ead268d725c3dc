import { h } from 'preact';
import Greeting from './greeting.mjs';

export default ({ name }) => h('main', null, h(Greeting, { name }));
